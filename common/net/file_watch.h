/* Notices that a file was changed, replaced, made or removed. Unlike uv_fs_poll it misses nothing that happens between
 * the caller's first look at the file and its own. */
#ifndef ORDEM_FILE_WATCH_H
#define ORDEM_FILE_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define FILE_WATCH_INTERVAL_MS 100

/* What tells one state of a file from another. */
struct file_identity {
    bool exists;
    uint64_t device, inode, size;
    uv_timespec_t modified;
};

struct file_watch {
    uv_timer_t timer;
    uv_fs_t request;
    bool asking; /* a request is under way */
    bool closed;
    const char *path; /* not owned */
    struct file_identity known;

    void (*on_change)(struct file_watch *);
};

/* Starts watching; the callback is set already. What the caller reads after this call is either still there, or a
 * change that on_change tells of. */
void file_watch_open(struct file_watch *watch, uv_loop_t *loop, const char *path);

/* The handle may be freed once the loop has run its close callback. */
void file_watch_close(struct file_watch *watch);

#endif
