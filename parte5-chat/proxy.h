/* The proxy: what servers publish goes to whoever subscribed; see proxy.c. */
#ifndef ORDEM_CHAT_PROXY_H
#define ORDEM_CHAT_PROXY_H

int proxy_main(void);

#endif
