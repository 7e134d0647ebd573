/* The client role of parts 2 to 4: a prompt for a node's KvService, `client --target HOST:PORT`.
 *
 * Commands come from the terminal, a pipe or a file, and are sent one after the other. Each carries a message_uuid that
 * stays the same when it is sent again, after a lost connection or a server's UNAVAILABLE, until its time is over. */
#ifndef ORDEM_KV_CLIENT_H
#define ORDEM_KV_CLIENT_H

/* Runs the client with the arguments of main(); `program` is what usage texts call it ("parte2"), and argv[1] may be
 * "client". Replies go to standard output, one JSON object on each line. Returns the exit status: 0; 1 if commands that
 * came from a pipe or a file failed, or could not be answered; 2 for arguments that it does not understand. */
int kv_client_main(const char *program, int argc, char **argv);

#endif
