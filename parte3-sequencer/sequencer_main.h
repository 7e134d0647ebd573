/* The sequencer as a process: the rule of sequencer.c between two queues of the broker. */
#ifndef ORDEM_SEQUENCER_MAIN_H
#define ORDEM_SEQUENCER_MAIN_H

#define SEQUENCER_NAME "sequencer" /* its NODE_ID, where none is set */

/* Runs until it has left; returns the exit status. */
int sequencer_main(void);

#endif
