/* A client without a person: traffic to look at; see bot.c. */
#ifndef ORDEM_CHAT_BOT_H
#define ORDEM_CHAT_BOT_H

int bot_main(void);

#endif
