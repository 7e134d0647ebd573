#include "common/net/file_watch.h"

#include "common/container_of.h"

static struct file_identity identity_of(const uv_fs_t *request)
{
    const uv_stat_t *status = &request->statbuf;

    if (request->result != 0) {
        return (struct file_identity){.exists = false};
    }
    return (struct file_identity){.exists = true,
                                  .device = status->st_dev,
                                  .inode = status->st_ino,
                                  .size = status->st_size,
                                  .modified = status->st_mtim};
}

static bool is_same(const struct file_identity *a, const struct file_identity *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static void on_status(uv_fs_t *request)
{
    struct file_watch *watch = container_of(request, struct file_watch, request);
    struct file_identity now = identity_of(request);

    uv_fs_req_cleanup(request);
    watch->asking = false;
    if (!watch->closed && !is_same(&now, &watch->known)) {
        watch->known = now;
        watch->on_change(watch);
    }
}

static void on_interval(uv_timer_t *timer)
{
    struct file_watch *watch = container_of(timer, struct file_watch, timer);

    if (!watch->asking) {
        watch->asking = uv_fs_stat(timer->loop, &watch->request, watch->path, on_status) == 0;
    }
}

void file_watch_open(struct file_watch *watch, uv_loop_t *loop, const char *path)
{
    watch->path = path;
    watch->asking = watch->closed = false;
    uv_fs_stat(loop, &watch->request, path, NULL); /* at once: it is known before the caller reads */
    watch->known = identity_of(&watch->request);
    uv_fs_req_cleanup(&watch->request);
    uv_timer_init(loop, &watch->timer);
    uv_timer_start(&watch->timer, on_interval, FILE_WATCH_INTERVAL_MS, FILE_WATCH_INTERVAL_MS);
}

void file_watch_close(struct file_watch *watch)
{
    watch->closed = true;
    uv_close((uv_handle_t *)&watch->timer, NULL);
}
