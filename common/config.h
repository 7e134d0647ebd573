/* Settings from the environment. Every part reads them the same way: an unset or empty variable means its default;
 * a value that does not parse is refused with one line that names the variable, what it held and what is allowed. */
#ifndef ORDEM_CONFIG_H
#define ORDEM_CONFIG_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

/* The variable's text, or `standard`; not owned. */
const char *config_text(const char *name, const char *standard);

/* A whole number from `low` to `high`. */
int config_int(const char *name, int64_t low, int64_t high, int64_t standard, int64_t *value,
               struct error *error);

/* A dotted IPv4 address from 224.0.0.0 to 239.255.255.255. */
int config_multicast_group(const char *name, const char *standard, const char **value, struct error *error);

/* One of the NULL-terminated `choices`, in any letter case; `*value` is its index. */
int config_choice(const char *name, const char *const *choices, int standard, int *value,
                  struct error *error);

/* A node's name: 1 to 64 of A-Z a-z 0-9 . _ -  Where the variable is unset, "node-" and four random digits. */
int config_node_id(const char *name, char out[65], struct error *error);

/* Is it such a name? */
bool config_is_node_id(struct text text);

#endif
