/* The volume's lock: whose reign is the last one, and how the next one begins.
 *
 *     leader.lock -> current/leader.lock      these two, for whoever looks on: no server reads them
 *     current     -> reign-9
 *     reign-9/leader.lock                     {"owner":"server2","fence":9,"beat":41,"renewed":1763689000250}
 *
 * Each reign has a folder of its own, and the number of the last one is the fencing number of the volume. Who takes over
 * prepares a folder and gives it the next number by rename(2), which fails where there is one that holds something: of all
 * who try, one wins, and nobody has to hold a lock meanwhile. From then on its owner alone writes into it: it renews its
 * leader.lock in place, digits over digits, so that a renewal needs no room on the disk; and it takes leader.lock away when
 * it leaves. `renewed`, in milliseconds since the epoch, is for whoever looks on, too: no clock is compared.
 *
 * Why not flock(2), or fcntl(2)? A leader that is stopped (SIGSTOP) while it holds such a lock keeps it for as long as it
 * is stopped, and nobody can take it away. A name can be taken away: what a stopped leader writes when it wakes goes into a
 * folder that nobody reads any more (reign.h), and before it says OK to anything it looks whether its reign is still the
 * last one. Nothing here waits for another process. It needs that a name that is given is seen by all at once: so it is
 * between the processes and the containers of one machine, and on a cluster's file system, but not on NFS with its caches.
 *
 * What somebody does by hand. A damaged leader.lock is an error, and nobody takes over; the leader's next renewal mends it;
 * if there is no leader, remove it. One that is removed has no owner: the next reign begins at once, and the old leader
 * takes no write from then on, but may answer reads until its next renewal. The number never goes back, for it is the
 * folder's; only when all of the volume is removed it begins at 1 again, and so does the chat. */
#ifndef ORDEM_CHAT_LOCK_FILE_H
#define ORDEM_CHAT_LOCK_FILE_H

#include "common/error.h"
#include "parte5-chat/coordination.h"
#include "parte5-chat/members.h"

#include <stddef.h>
#include <stdint.h>

#define LOCK_FOLDER_MAX 512

/* The owner of a lock that is nobody's of SERVERS; or a former life of this very server. */
#define OTHER_SERVER (SERVERS_MAX + 1)

struct lock_file {
    char folder[LOCK_FOLDER_MAX];       /* of the volume */
    const struct chat_members *members; /* not owned */
    unsigned self;
    int64_t fence;  /* of the reign that this process began last; 0 before the first */
    int descriptor; /* of its leader.lock, -1 before the first */
};

/* Makes the folder, if there is none. `members` must outlive it. ERROR_FILE. */
int lock_file_open(struct lock_file *file, const char *folder, const struct chat_members *members,
                   unsigned self, struct error *error);

/* What leader.lock of the last reign holds. ERROR_FILE: it cannot be read, or is damaged. */
int lock_file_read(const struct lock_file *file, struct lock *lock, struct error *error);

/* If it still holds `found`, writes `wanted`: the next reign of this server, its renewal, or its end. Tells what it holds
 * then, which is `wanted` only if that is this process's doing. ERROR_FILE: it is not known whether it was done. */
int lock_file_swap(struct lock_file *file, const struct lock *found, const struct lock *wanted,
                   struct lock *holds, struct error *error);

/* The number of the last reign; 0 if there was none. ERROR_FILE. */
int lock_file_last(const struct lock_file *file, int64_t *fence, struct error *error);

void lock_file_close(struct lock_file *file);

/* "…/reign-9" and "…/reign-9/name" of a volume. */
#define REIGN_PATH_MAX (LOCK_FOLDER_MAX + 100)
void reign_path(char path[REIGN_PATH_MAX], const char *volume, int64_t fence, const char *name);

/* The number of the reign whose folder has this name; 0 if it is none. */
int64_t reign_number(const char *name);

#endif
