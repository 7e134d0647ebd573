/* The broker: clients on one side, servers on the other; see broker.c. */
#ifndef ORDEM_CHAT_BROKER_H
#define ORDEM_CHAT_BROKER_H

int broker_main(void);

#endif
