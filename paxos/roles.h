/* Where each role begins, once main.c has chosen it. Each returns the program's exit status. */
#ifndef ORDEM_PAXOS_ROLES_H
#define ORDEM_PAXOS_ROLES_H

int proposer_main(void);
int acceptor_main(void);
int learner_main(void);
int store_main(void);
int client_main(int argc, char **argv);

#endif
