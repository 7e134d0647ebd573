#include "paxos/learner_state.h"

#include <stdlib.h>

#define TIMESTAMP_MAX 9007199254740992.0 /* 2 to the 53rd: what JSON readers still count exactly */

uint64_t learner_state_timestamp(const struct operation *operation)
{
    char digits[OPERATION_TIMESTAMP_MAX + 1];
    size_t length = operation->timestamp.length;

    if (length == 0 || length >= sizeof digits) {
        return 0;
    }
    memcpy(digits, operation->timestamp.bytes, length);
    digits[length] = '\0';
    double ms = strtod(digits, NULL) * (operation->message_uuid.length > 0 ? 1000 : 1);
    return ms >= 0 && ms <= TIMESTAMP_MAX ? (uint64_t)ms : 0;
}

uint64_t learner_state_apply(struct learner_state *state, const struct operation *operation)
{
    state->commands++;
    if (operation->type != COMMAND_SET) {
        return 0;
    }
    state->writes++;
    resources_set(&state->resources, &(struct resource){.name = operation->resource,
                                                        .data = operation->data,
                                                        .version = state->writes,
                                                        .timestamp = learner_state_timestamp(operation)});
    return state->writes;
}

void learner_state_free(struct learner_state *state)
{
    resources_free(&state->resources);
    *state = (struct learner_state){0};
}
