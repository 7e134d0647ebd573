/* The reference server as a process; see reference_main.c. */
#ifndef ORDEM_CHAT_REFERENCE_MAIN_H
#define ORDEM_CHAT_REFERENCE_MAIN_H

int reference_main(void);

#endif
