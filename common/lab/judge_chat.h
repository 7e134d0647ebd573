/* The judge of the chat (Parte 5), whose guarantees are other ones than the store's. What the files judge_chat*.c share;
 * nobody else includes it.
 *
 * A server's log tells every change that it recorded (deliver), how far it was when it started (recover, with `seq`: what
 * it had told of beyond that was not on its disk), and that it forgot all (recover, without). What it has in the end
 * follows from these. A server is *correct*, and must have everything then, if it is up in the end. */
#ifndef ORDEM_JUDGE_CHAT_H
#define ORDEM_JUDGE_CHAT_H

#include "common/lab/judge_parts.h"

/* What one server has in the end; or, where servers share a volume, what that has. */
struct chat_server_state {
    uint32_t process;
    bool correct;
    uint32_t *changes; /* deliveries, in the order of their places; owned */
    size_t count, capacity;
    uint32_t *last_of; /* by command: its last delivery here; HISTORY_NONE where there is none; owned */
    bool *has;         /* by command: is it there in the end? owned */
};

struct chat_judging {
    struct judging *judging;
    const struct history *history;
    struct chat_server_state *servers; /* owned */
    size_t server_count;
    bool shared; /* they share a volume: its state is the only one, under the name of who led last */
    bool told;   /* by some server, of some change */
};

static inline struct verdict *chat_verdict(const struct chat_judging *chat, enum guarantee guarantee)
{
    return &chat->judging->judgement->verdicts[guarantee];
}

/* Sets the outcome by the count of violations. */
void chat_conclude(struct verdict *verdict, uint64_t violations);

/* What a client asked for, and was told OK for; NULL if it was not, or if it changes nothing. */
const struct operation *chat_acknowledged(const struct chat_judging *chat, uint32_t command);

/* ---- judge_chat_state.c ---- */

void chat_states_fill(struct chat_judging *chat);

/* Appends a delivery to a state, and drops from it what is beyond that place (all, for LOG_RECORD_NO_NUMBER). */
void chat_state_record(struct chat_server_state *state, const struct history *history, uint32_t event);
void chat_state_fall_back(struct chat_server_state *state, const struct history *history, int64_t seq);

void chat_states_free(struct chat_judging *chat);

/* The last word in each channel, and to each user, at each server: into the judgement's differences and agreements. */
void chat_compare_last_words(struct chat_judging *chat);

/* ---- judge_chat_volume.c ---- */

/* Fills in what the servers' volume holds. `state` is empty, but for its room; its process is set. */
void chat_volume_read(struct chat_server_state *state, const struct history *history);

/* ---- judge_chat_data.c, judge_chat_order.c, judge_chat_reigns.c, judge_chat_clocks.c: each fills its verdicts ---- */

void chat_judge_kept(struct chat_judging *chat);
void chat_judge_equal(struct chat_judging *chat);
void chat_judge_once(struct chat_judging *chat);
void chat_judge_in_order(struct chat_judging *chat);
void chat_judge_lamport(struct chat_judging *chat);
void chat_judge_clocks(struct chat_judging *chat);
void chat_judge_one_leads(struct chat_judging *chat);

#endif
