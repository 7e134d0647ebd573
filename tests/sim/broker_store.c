#include "tests/sim/broker_store.h"

#include "tests/sim/broker_seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct message *commands_add(struct commands *commands, unsigned node, unsigned life)
{
    struct command *command = &commands->all[commands->count];
    uint64_t bytes[2] = {commands->count, 0};
    struct uuid uuid = uuid_from_bytes((const uint8_t *)bytes);
    char value[16];
    char sender[16];

    snprintf(value, sizeof value, "%u", commands->count++);
    snprintf(sender, sizeof sender, "node%u", node + 1);
    *command = (struct command){.message = message_new(&(struct message){.command_type = COMMAND_SET,
                                                                         .key = text_of("key"),
                                                                         .value = text_of(value),
                                                                         .sender_id = text_of(sender),
                                                                         .message_uuid = text_of(uuid.text),
                                                                         .seq = MESSAGE_NO_SEQ}),
                                .node = node,
                                .life = life};
    return command->message;
}

unsigned command_number(const struct message *message)
{
    unsigned number = 0;

    for (size_t i = 0; i < message->value.length; i++) {
        number = number * 10 + (unsigned)(message->value.bytes[i] - '0');
    }
    return number;
}

void finding_add(struct finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding_exists(finding)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
    seeds_show("found: %s", finding->text);
}

bool finding_exists(const struct finding *finding)
{
    return finding->text[0] != '\0';
}

void store_apply(struct store *store, const struct message *message, struct finding *finding)
{
    if (store->count == STORE_MAX) {
        finding_add(finding, "no duplicates: more was applied than any run has");
        return;
    }
    store->commands[store->count++] = command_number(message);
}

unsigned store_count(const struct store *store, unsigned command)
{
    unsigned count = 0;

    for (size_t i = 0; i < store->count; i++) {
        count += store->commands[i] == command;
    }
    return count;
}

bool store_equal(const struct store *a, const struct store *b)
{
    return a->count == b->count && memcmp(a->commands, b->commands, a->count * sizeof *a->commands) == 0;
}

void store_check(const struct store *store, const char *whose, struct commands *commands)
{
    for (unsigned command = 0; command < commands->count; command++) {
        unsigned count = store_count(store, command);
        if (count == 0 && commands->all[command].answered) {
            finding_add(&commands->finding, "delivery: command %u was answered ok and is not in %s's store",
                        command, whose);
        } else if (count > 1) {
            finding_add(&commands->finding, "no duplicates: command %u is %u times in %s's store", command,
                        count, whose);
        }
    }
}

void store_check_fifo(const struct store *store, const char *whose, struct commands *commands)
{
    for (size_t i = 0; i < store->count; i++) {
        const struct command *first = &commands->all[store->commands[i]];
        for (size_t j = i + 1; !first->again && j < store->count; j++) {
            const struct command *then = &commands->all[store->commands[j]];
            if (first->node == then->node && first->life == then->life && !then->again &&
                store->commands[i] > store->commands[j]) {
                finding_add(&commands->finding, "FIFO: command %u stands before %u in %s's store",
                            store->commands[i], store->commands[j], whose);
            }
        }
    }
}

void commands_free(struct commands *commands)
{
    for (unsigned i = 0; i < commands->count; i++) {
        message_unref(commands->all[i].message);
    }
}
