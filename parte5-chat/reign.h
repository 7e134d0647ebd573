/* The chat's files on the shared volume: each reign has its own copy, and only its leader writes to that.
 *
 *     usuarios.json -> current/data/usuarios.json      for whoever looks on, as leader.lock (lock_file.h);
 *     canais.json, publicacoes.json, mensagens.json    the same
 *     reign-9/data/usuarios.json, …                    what store.h says of users.json, …
 *     reign-8/                                         the one before stays: what its leader wrote too late is there
 *
 * Who takes over has announced the number of its reign before it reads anything. An earlier leader looks at that number
 * after its write is on the disk, and before it says OK. So either it sees that its reign is over, and says nothing; or it
 * has written before the next one began to read. Nothing that was acknowledged is left behind, and nothing that is written
 * later is ever read, however long a leader was stopped, and wherever. (What is written in between may be taken over, or
 * not; whoever asked for it has no answer, and asks again.)
 *
 * The price is that each takeover copies the files, and that there must be room for two of them: where there is not, nobody
 * can take over. A copy counts once it is whole: it gets its name last. */
#ifndef ORDEM_CHAT_REIGN_H
#define ORDEM_CHAT_REIGN_H

#include "common/error.h"
#include "common/log.h"
#include "parte5-chat/chat.h"
#include "parte5-chat/store.h"

#include <stdint.h>

/* Takes over the files of the last reign before `fence` that had any, opens them, and applies what is there to `chat`, an
 * empty one; removes what nobody needs any more. ERROR_FILE; then nothing is open. */
int reign_open(struct store *store, const char *volume, int64_t fence, struct log *log, struct chat *chat,
               struct error *error);

/* Has the names on the volume lead to that reign. What is there under such a name, and no symbolic link, stays. */
int reign_show(const char *volume, int64_t fence, struct error *error);

#endif
