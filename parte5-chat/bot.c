/* The bot: logs in under a name of its own (and registers first, where there are passwords and it has no account), chooses
 * a channel (and makes `geral` if there is none), says ten things there, and chooses again, for ever. Each step follows the
 * answer to the one before; one that nobody answers, or that is refused, is followed by a new beginning: so it outlives
 * every change of primary. What it said, and what came of that, is in its log, for `lab` to judge the servers by. */
#include "parte5-chat/bot.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/random.h"
#include "parte5-chat/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_EACH 10
#define PAUSE_MS      1000

enum bot_step { STEP_LOGIN, STEP_REGISTER, STEP_CHOOSE, STEP_CREATE, STEP_SAY };

struct bot {
    struct process process;
    struct session session;
    struct random random;
    uint64_t interval_ms, next_ms;
    enum bot_step step;
    char name[24], channel[NAME_MAX_LENGTH + 1];
    char password[CHAT_PASSWORD_MAX + 1]; /* a chat without passwords does not look at it */
    unsigned said;                        /* in this channel */
};

/* ---- the log ---- */

static void log_invoke(struct bot *bot, const char *body)
{
    if (log_begin(&bot->process.log, LOG_INFO, "invoke")) {
        log_id(&bot->process.log, "message_uuid", text_of(bot->session.request_id.text));
        log_text(&bot->process.log, "sender_id", text_of(bot->name));
        log_text(&bot->process.log, "command_type", text_of(change_type_name(CHANGE_PUBLISH)));
        log_text(&bot->process.log, "key", text_of(bot->channel));
        log_text(&bot->process.log, "value", text_of(body));
        log_end(&bot->process.log);
    }
}

/* What was refused may have taken effect all the same, in an earlier try whose answer got lost. */
static void log_complete(struct bot *bot, bool done)
{
    if (log_begin(&bot->process.log, LOG_INFO, "complete")) {
        log_id(&bot->process.log, "message_uuid", text_of(bot->session.request_id.text));
        log_text(&bot->process.log, "status", text_of(done ? "ok" : "unknown"));
        log_end(&bot->process.log);
    }
}

/* ---- what it does ---- */

static void ask(struct bot *bot)
{
    char body[64] = "";
    struct chat_message question = {.service = SERVICE_CHANNELS};
    struct error error;

    if (bot->step == STEP_LOGIN || bot->step == STEP_REGISTER) {
        question =
            (struct chat_message){.service = bot->step == STEP_LOGIN ? SERVICE_LOGIN : SERVICE_REGISTER,
                                  .user = text_of(bot->name),
                                  .password = text_of(bot->password)};
    } else if (bot->step == STEP_CREATE) {
        question = (struct chat_message){.service = SERVICE_CHANNEL, .channel = text_of("geral")};
    } else if (bot->step == STEP_SAY) {
        snprintf(body, sizeof body, "%u/%d %08llx", bot->said + 1, MESSAGES_EACH,
                 (unsigned long long)(random_next(&bot->random) & 0xffffffff));
        question = (struct chat_message){.service = SERVICE_PUBLISH,
                                         .user = text_of(bot->name),
                                         .channel = text_of(bot->channel),
                                         .message = text_of(body)};
    }
    if (session_ask(&bot->session, &question, &error) != 0) {
        process_discard(&bot->process, &error, "itself"); /* and it tries once more at the next tick */
    } else if (bot->step == STEP_SAY) {
        log_invoke(bot, body);
    }
}

static void choose(struct bot *bot, const struct chat_names *channels)
{
    bot->said = 0;
    if (channels->count == 0) {
        bot->step = STEP_CREATE;
        return;
    }
    struct text name = channels->items[random_below(&bot->random, channels->count)];
    snprintf(bot->channel, sizeof bot->channel, "%.*s", (int)name.length, name.bytes);
    bot->step = STEP_SAY;
}

/* What follows a good answer. */
static void advance(struct bot *bot, const struct chat_message *answer)
{
    switch (bot->step) {
    case STEP_CHOOSE:
        choose(bot, &answer->channels);
        break;
    case STEP_SAY:
        bot->said++;
        bot->step = bot->said < MESSAGES_EACH ? STEP_SAY : STEP_CHOOSE;
        break;
    case STEP_REGISTER:
        bot->step = STEP_LOGIN;
        break;
    default:
        bot->step = STEP_CHOOSE;
        break;
    }
}

/* A new beginning; whose login is refused may have no account yet, and who has one, and is refused all the same, waits. */
static void begin_anew(struct bot *bot, bool refused)
{
    log_say(&bot->process.log, LOG_WARNING, "discard", refused ? "refused" : "no answer");
    bot->next_ms = bot->step == STEP_REGISTER ? clock_monotonic_ms() + PAUSE_MS : bot->next_ms;
    bot->step = bot->step == STEP_LOGIN && refused ? STEP_REGISTER : STEP_LOGIN;
}

static void on_answer(struct session *session, const struct chat_message *answer)
{
    struct bot *bot = container_of(session, struct bot, session);
    bool made_meanwhile = bot->step == STEP_CREATE && answer != NULL; /* by another bot */

    if (bot->step == STEP_SAY) {
        log_complete(bot, answer != NULL && answer->status != STATUS_ERROR);
    }
    if (answer != NULL && (answer->status != STATUS_ERROR || made_meanwhile)) {
        advance(bot, answer);
    } else {
        begin_anew(bot, answer != NULL);
    }
}

static void on_publication(struct session *session, const struct chat_message *publication)
{
    (void)session; /* a bot does not listen */
    (void)publication;
}

static void on_tick(struct process *process, uint64_t now_ms)
{
    struct bot *bot = container_of(process, struct bot, process);

    session_tick(&bot->session, now_ms);
    if (!bot->session.asking && now_ms >= bot->next_ms) {
        bot->next_ms = now_ms + (bot->step == STEP_SAY ? bot->interval_ms : 0);
        ask(bot);
    }
}

static void on_leave(struct process *process)
{
    session_close(&container_of(process, struct bot, process)->session);
}

/* The same seed, the same password: a bot that comes back under its name can prove that it is the one. It is worth as much
 * as the seed is secret. */
static int choose_password(struct bot *bot, int64_t seed, struct error *error)
{
    const char *given = config_text("BOT_PASSWORD", NULL);
    size_t length = given != NULL ? strlen(given) : 0;

    if (length > CHAT_PASSWORD_MAX) {
        return error_set(error, ERROR_CONFIG, "BOT_PASSWORD has %zu bytes, at most %d are allowed", length,
                         CHAT_PASSWORD_MAX);
    }
    if (given != NULL) {
        snprintf(bot->password, sizeof bot->password, "%s", given);
    } else {
        snprintf(bot->password, sizeof bot->password, "%016llx",
                 (unsigned long long)random_mix((uint64_t)seed, random_hash(text_of("password"))));
    }
    return 0;
}

int bot_main(void)
{
    static struct bot bot = {.process = {.role = "bot", .on_tick = on_tick, .on_leave = on_leave},
                             .session = {.on_answer = on_answer, .on_publication = on_publication}};
    struct process *process = &bot.process;
    struct uuid fresh = uuid_new();
    struct error error;
    int64_t seed;
    int64_t interval_ms;

    if (config_int("BOT_SEED", 0, INT64_MAX, (int64_t)(random_hash(text_of(fresh.text)) >> 1), &seed,
                   &error) != 0) {
        return process_refuse_start(process, &error);
    }
    bot.random = (struct random){.state = (uint64_t)seed};
    snprintf(bot.name, sizeof bot.name, "bot-%08llx",
             (unsigned long long)(random_next(&bot.random) & 0xffffffff));
    process->standard_id = bot.name; /* of replicas that share their settings each has its own */
    if (config_int("BOT_INTERVAL_MS", 0, 3600000, 1000, &interval_ms, &error) != 0 ||
        choose_password(&bot, seed, &error) != 0 || process_open(process, &error) != 0 ||
        session_open(&bot.session, process, &error) != 0) {
        return process_refuse_start(process, &error);
    }
    bot.interval_ms = (uint64_t)interval_ms;
    process_run(process);
    session_free(&bot.session);
    return EXIT_SUCCESS;
}
