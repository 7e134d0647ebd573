/* What kinds of lines there are, and whose they are. */
#include "common/lab/history_parts.h"

static const struct {
    const char *name;
    enum process_role role; /* whose line it is; ROLE_REPLICA stands for the coordinators, too */
    bool about_command;
} kinds[EVENT_KIND_COUNT] = {
    [EVENT_START] = {"start", ROLE_REPLICA, false},
    [EVENT_READY] = {"ready", ROLE_REPLICA, false},
    [EVENT_SEND] = {"send", ROLE_REPLICA, true},
    [EVENT_RECEIVE] = {"receive", ROLE_REPLICA, true},
    [EVENT_DELIVER] = {"deliver", ROLE_REPLICA, true},
    [EVENT_FAULT] = {"fault", ROLE_REPLICA, true},
    [EVENT_STOP] = {"stop", ROLE_REPLICA, false},
    [EVENT_HOLD] = {"hold", ROLE_REPLICA, true},
    [EVENT_DISCARD] = {"discard", ROLE_REPLICA, true},
    [EVENT_RECOVER] = {"recover", ROLE_REPLICA, false},
    [EVENT_INVOKE] = {"invoke", ROLE_CLIENT, true},
    [EVENT_COMPLETE] = {"complete", ROLE_CLIENT, true},
    [EVENT_KILL] = {"kill", ROLE_LAB, false},
    [EVENT_RESTART] = {"restart", ROLE_LAB, false},
    [EVENT_PAUSE] = {"pause", ROLE_LAB, false},
    [EVENT_RESUME] = {"resume", ROLE_LAB, false},
    [EVENT_PARTITION] = {"partition", ROLE_LAB, false},
    [EVENT_HEAL] = {"heal", ROLE_LAB, false},
    [EVENT_REPLY] = {"reply", ROLE_REPLICA, false},
    [EVENT_CONNECT] = {"connect", ROLE_REPLICA, false},
    [EVENT_DISCONNECT] = {"disconnect", ROLE_REPLICA, false},
    [EVENT_ELECT] = {"elect", ROLE_REPLICA, false},
    [EVENT_STEP_DOWN] = {"step_down", ROLE_REPLICA, false},
    [EVENT_GIVE_UP] = {"give_up", ROLE_CLIENT, false},
    [EVENT_NETWORK] = {"fault", ROLE_REPLICA, false},
    [EVENT_SAY] = {"send", ROLE_REPLICA, false},
    [EVENT_HEAR] = {"receive", ROLE_REPLICA, false},
    [EVENT_CLOCK] = {"clock", ROLE_REPLICA, false},
};

const char *event_kind_name(enum event_kind kind)
{
    return kinds[kind].name;
}

enum event_kind history_kind_of(const struct log_record *record)
{
    if (record->message_uuid.bytes == NULL && text_equal(record->event, text_of("fault")) &&
        text_equal(record->fault, text_of("settings"))) {
        return EVENT_NETWORK;
    }
    if (record->message_uuid.bytes == NULL && record->message_id.bytes != NULL) {
        return text_equal(record->event, text_of("send"))      ? EVENT_SAY
               : text_equal(record->event, text_of("receive")) ? EVENT_HEAR
                                                               : EVENT_KIND_COUNT;
    }
    if (record->round != LOG_RECORD_NO_NUMBER && text_equal(record->event, text_of("clock"))) {
        return EVENT_CLOCK;
    }
    for (enum event_kind kind = 0; kind < EVENT_NETWORK; kind++) {
        if (text_equal(record->event, text_of(kinds[kind].name))) {
            bool complete = !kinds[kind].about_command || record->message_uuid.bytes != NULL;
            return complete ? kind : EVENT_KIND_COUNT;
        }
    }
    return EVENT_KIND_COUNT;
}

bool history_fits_role(struct process *process, enum event_kind kind)
{
    if (process->event_count == 0) {
        process->role = kinds[kind].role;
        return true;
    }
    if (process->role == ROLE_CLIENT && (process->listens || kind == EVENT_SAY || kind == EVENT_HEAR)) {
        return kinds[kind].role == ROLE_REPLICA;
    }
    if (process->role == ROLE_COORDINATOR) { /* a bot asks, too, in a log of its own */
        return kinds[kind].role == ROLE_REPLICA || kind == EVENT_INVOKE || kind == EVENT_COMPLETE;
    }
    return process->role == kinds[kind].role;
}

bool history_is_about_command(enum event_kind kind)
{
    return kinds[kind].about_command;
}
