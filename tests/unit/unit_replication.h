/* What the tests of the replication share: one server, told as what it hears and what it wants done. */
#ifndef ORDEM_UNIT_REPLICATION_H
#define ORDEM_UNIT_REPLICATION_H

#include "parte5-chat/replication.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define PATIENCE_MS 200
#define EPOCH       65

struct fixture {
    struct chat chat;
    struct replication replication;
    struct replication_actions out;
    uint64_t now_ms;
};

static inline int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.now_ms = 0};
    chat_init(&f.chat);
    replication_init(&f.replication,
                     &(struct replication_options){.self = 1,
                                                   .peers = SERVER_BIT(2) | SERVER_BIT(3),
                                                   .patience_ms = PATIENCE_MS},
                     &f.chat, 0);
    *state = &f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    replication_actions_free(&f->out);
    chat_free(&f->chat);
    return 0;
}

static inline void hear(struct fixture *f, struct replication_note note)
{
    replication_hear(&f->replication, &note, &f->out);
    replication_note_free(&note);
}

static inline void wait(struct fixture *f, uint64_t ms)
{
    for (uint64_t waited_ms = 0; waited_ms < ms; waited_ms += 50) {
        f->now_ms += 50;
        replication_tick(&f->replication, f->now_ms, &f->out);
    }
}

/* How often is that wanted, of that peer (of SEND: a note of that type)? */
static inline unsigned count(const struct fixture *f, enum replication_action_type type, unsigned to,
                             enum replication_note_type note)
{
    unsigned found = 0;

    for (size_t i = 0; i < f->out.count; i++) {
        const struct replication_action *action = &f->out.items[i];
        found += action->type == type &&
                 (type != REPLICATION_SEND || (action->to == to && action->note.type == note));
    }
    return found;
}

static inline unsigned wanted(const struct fixture *f, enum replication_action_type type)
{
    return count(f, type, 0, NOTE_ASK);
}

static inline unsigned sent(const struct fixture *f, unsigned to, enum replication_note_type note)
{
    return count(f, REPLICATION_SEND, to, note);
}

static inline void clear(struct fixture *f)
{
    replication_actions_clear(&f->out);
}

static inline int submit(struct fixture *f, unsigned request)
{
    char id[40];

    snprintf(id, sizeof id, "%08x-0000-4000-8000-000000000000", request);
    struct change *change =
        change_new(&(struct change){.type = CHANGE_LOGIN, .user = TEXT("ana"), .request_id = text_of(id)});
    int code = replication_submit(&f->replication, change, &f->out, NULL);
    change_unref(change);
    return code;
}

static inline void acknowledge(struct fixture *f, unsigned from, int64_t seq)
{
    hear(f, (struct replication_note){
                .type = NOTE_ACK, .from = from, .epoch = EPOCH, .seq = seq, .last_epoch = EPOCH});
}

/* It leads, both others count, and its first change is acknowledged. */
static inline void lead(struct fixture *f)
{
    replication_lead(&f->replication, EPOCH, &f->out);
    hear(f, (struct replication_note){.type = NOTE_ANSWER, .from = 2, .epoch = EPOCH});
    assert_int_equal(wanted(f, REPLICATION_LEADING), 0);
    hear(f, (struct replication_note){.type = NOTE_ANSWER, .from = 3, .epoch = EPOCH});
    assert_int_equal(wanted(f, REPLICATION_LEADING), 1);
    acknowledge(f, 2, 1);
    acknowledge(f, 3, 1);
    clear(f);
}

/* A change as a primary sends it. */
static inline struct replication_note changes(unsigned from, int64_t epoch, int64_t after_seq,
                                              int64_t after_epoch)
{
    struct replication_note note = {.type = NOTE_CHANGES,
                                    .from = from,
                                    .epoch = epoch,
                                    .seq = after_seq + 1,
                                    .last_epoch = epoch,
                                    .after_seq = after_seq,
                                    .after_epoch = after_epoch};
    struct change *change =
        change_new(&(struct change){.type = CHANGE_REIGN, .seq = after_seq + 1, .epoch = epoch});

    change_list_add(&note.changes, change);
    change_unref(change);
    return note;
}

/* A machine that stands still for a moment now and then: 50 ms of work, 150 ms of nothing. */
static inline void stutter(struct fixture *f, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        wait(f, 50);
        f->now_ms += 150;
        replication_tick(&f->replication, f->now_ms, &f->out);
    }
}

#define REPLICATION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
