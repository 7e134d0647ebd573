/* A server whose disk takes nothing any more: it answers what it can without writing, and takes no write.
 *
 * Where there is no room (store.h), the disk holds what it held before this turn of the loop, and memory is made the same:
 * nothing that rested on the turn has left the server, and nothing of it does. To everybody else that is a server that died
 * and returned, and the rules survive those. A primary in the replicated composition leads no more, and takes no part in the
 * replication, so that others go on without it; with a shared volume it goes on leading, for nobody else would have more
 * room. When there is room again, all is as after a return.
 *
 * Where nobody knows what the disk holds, the memory is kept for those who read, as long as the server lives; and there is
 * no way back but starting it again, on a disk that works. */
#include "parte5-chat/server.h"

#include "common/clock.h"

#include <stdlib.h>

#define TRY_AGAIN_MS 1000

/* The log has told of changes that are gone again: up to `seq` they are there. */
static void log_disk(struct server *server, enum log_level level, const char *state, const char *reason)
{
    if (log_begin(&server->process.log, level, "recover")) {
        log_text(&server->process.log, "reason", text_of(state));
        log_int(&server->process.log, "seq", chat_last_seq(&server->chat));
        log_int(&server->process.log, "epoch", server->store.promised);
        log_text(&server->process.log, "message", text_of(reason));
        log_end(&server->process.log);
    }
}

static void die(struct server *server, const struct error *error)
{
    if (log_begin(&server->process.log, LOG_ERROR, "stop")) {
        log_text(&server->process.log, "reason", text_of(error->text));
        log_end(&server->process.log);
    }
    log_flush(&server->process.log);
    _Exit(EXIT_FAILURE);
}

void server_suspend(struct server *server, int code, const struct error *error)
{
    server->disk = code == ERROR_FULL ? DISK_FULL : DISK_LOST;
    server->disk_since_ms = clock_monotonic_ms();
    server->next_try_ms = server->disk_since_ms + TRY_AGAIN_MS;
    server_drop_notes(server);
    server_drop_outgoing(server);
    if (server->disk == DISK_FULL) {
        chat_cut(&server->chat, server->store.flushed);
    }
    log_disk(server, LOG_ERROR, server->disk == DISK_FULL ? "full" : "lost", error->text);
    if (!server->composition->suspend(server)) {
        die(server, error);
    }
    if (server->disk == DISK_FULL) {
        server_refuse_askers(server, server_why_not(server));
    } else { /* their changes may be on the disk, or not */
        server_forget_askers(server, true);
    }
}

void server_tick_disk(struct server *server, uint64_t now_ms)
{
    if (server->disk != DISK_FULL || now_ms < server->next_try_ms) {
        return;
    }
    server->next_try_ms = now_ms + TRY_AGAIN_MS;
    if (store_has_room(&server->store)) {
        server->disk = DISK_TAKES;
        server->mute = false;
        log_disk(server, LOG_INFO, "room", "there is room again");
    }
}

const char *server_why_not(const struct server *server)
{
    uint64_t since_ms = clock_monotonic_ms() - server->disk_since_ms;

    if (server->disk == DISK_TAKES ||
        (server->mute && server->members.count > 1 && since_ms < 2 * server->timeout_ms)) {
        return CHAT_NO_PRIMARY; /* somebody else will lead */
    }
    return server->disk == DISK_FULL ? CHAT_DISK_FULL : CHAT_DISK_LOST;
}
