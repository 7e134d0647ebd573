/* Writes the folder of a chat server that has a long history: one user, one channel, and COUNT publications.
 *
 *     make_history COUNT FOLDER
 *
 * The files are written by the code with which a server writes them. */
#include "bench.h"
#include "common/uuid.h"
#include "parte5-chat/chat.h"
#include "parte5-chat/store.h"

#define BODY_LENGTH 100
#define BATCH       10000           /* changes that are flushed together */
#define FIRST_EPOCH 65              /* the first that the first server gives */
#define BEGIN_MS    1763689000000LL /* when it was said, once a millisecond */

static struct writing {
    struct chat chat;
    struct store store;
    int64_t seq;
} writing;

static void check(int code, const struct error *error)
{
    if (code != 0) {
        fprintf(stderr, "%s\n", error->text);
        exit(1);
    }
}

static void commit(void)
{
    struct error error;

    check(store_commit(&writing.store, &error), &error);
}

/* The next change. */
static void write_change(struct change fields)
{
    struct uuid id = uuid_new();

    if (fields.type != CHANGE_REIGN) {
        fields.request_id = text_of(id.text);
    }
    fields.seq = ++writing.seq;
    fields.epoch = FIRST_EPOCH;
    fields.clock = writing.seq;
    fields.timestamp_ms = BEGIN_MS + writing.seq;
    store_record(&writing.store, &fields);
    if (writing.seq % BATCH == 0) {
        commit();
    }
}

int main(int argc, char **argv)
{
    char body[BODY_LENGTH];
    struct log log = {.options = {.level = LOG_ERROR, .screen = -1}};
    struct error error;

    if (argc != 3) {
        fputs("usage: make_history COUNT FOLDER\n", stderr);
        return 2;
    }
    unsigned long count = number_of(argv[1], 100000000);
    memset(body, 'x', sizeof body);
    check(store_open(&writing.store, argv[2], store_names, &log, &writing.chat, &error), &error);
    store_promise(&writing.store, FIRST_EPOCH);
    write_change((struct change){.type = CHANGE_REIGN});
    write_change((struct change){.type = CHANGE_LOGIN, .user = text_of("ana")});
    write_change((struct change){.type = CHANGE_CHANNEL, .user = text_of("ana"), .target = text_of("bench")});
    for (unsigned long i = 0; i < count; i++) {
        write_change((struct change){.type = CHANGE_PUBLISH,
                                     .user = text_of("ana"),
                                     .target = text_of("bench"),
                                     .body = {body, sizeof body}});
    }
    commit();
    store_close(&writing.store);
    return 0;
}
