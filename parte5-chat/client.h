/* The chat's client: a prompt for people and scripts; see client.c. */
#ifndef ORDEM_CHAT_CLIENT_H
#define ORDEM_CHAT_CLIENT_H

int client_main(void);

#endif
