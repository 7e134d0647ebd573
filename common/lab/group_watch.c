/* What members tell in their logs of who leads, and of how far they are: read on while the run lasts. Where nobody can be
 * asked for that, it is how the lab knows whom to kill as the leader, and when all have what the leader has. Of who tells
 * nothing the kernel knows whether it could. */
#include "common/lab/group.h"
#include "common/memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES (256 * 1024) /* read at once; a line that is longer tells nothing that matters here */

/* ---- one line ---- */

static const char *find(const char *line, size_t length, const char *what)
{
    return memmem(line, length, what, strlen(what));
}

/* The number behind `"name":`; 0 if there is none. */
static int64_t number_of(const char *line, size_t length, const char *name)
{
    const char *found = find(line, length, name);

    return found != NULL ? strtoll(found + strlen(name), NULL, 10)
                         : 0; /* what follows is a comma or a brace */
}

static void read_line(struct member *member, const char *line, size_t length)
{
    if (find(line, length, "\"event\":\"deliver\"") != NULL ||
        find(line, length, "\"event\":\"recover\",\"seq\"") != NULL) {
        int64_t seq = number_of(line, length, "\"seq\":");
        member->seq = seq > 0 ? seq : number_of(line, length, "\"ordem_local\":");
        member->epoch = number_of(line, length, "\"epoch\":");
    } else if (find(line, length, "\"event\":\"recover\",\"installed_seq\"") != NULL) {
        member->seq = number_of(line, length, "\"installed_seq\":");
    } else if (find(line, length, "\"event\":\"send\"") != NULL) {
        member->sends++;
    } else if (find(line, length, "\"event\":\"elect\"") != NULL &&
               find(line, length, "\"state\":\"leads\"") != NULL) {
        member->reign = number_of(line, length, "\"epoch\":");
    } else if (find(line, length, "\"event\":\"step_down\"") != NULL) {
        member->reign = 0;
    }
}

/* ---- a log ---- */

/* Whole lines of the piece; returns how many bytes they are. */
static size_t read_lines(struct member *member, const char *piece, size_t length)
{
    const char *line = piece;
    const char *end;

    while ((end = memchr(line, '\n', length - (size_t)(line - piece))) != NULL) {
        read_line(member, line, (size_t)(end - line));
        line = end + 1;
    }
    return (size_t)(line - piece);
}

void member_read_on(struct member *member)
{
    char *piece = memory_new(PIECE_BYTES);
    int descriptor = open(member->log_path, O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor >= 0 ? 1 : 0;

    while (length > 0) {
        length = pread(descriptor, piece, PIECE_BYTES, (off_t)member->read_to);
        size_t whole = length > 0 ? read_lines(member, piece, (size_t)length) : 0;
        if (whole == 0 && length == PIECE_BYTES) {
            whole = PIECE_BYTES;
        }
        member->read_to += whole;
        length = whole > 0 ? length : 0;
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    free(piece);
}

void group_read_on(struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        member_read_on(&group->members[i]);
    }
}

/* ---- all of them ---- */

static bool may_lead(const struct member *member, enum member_kind kind)
{
    return member->kind == kind && member->ready && !member->killed && !member->exited;
}

const struct member *group_leader(const struct group *group, enum member_kind kind)
{
    const struct member *leader = NULL;

    for (size_t i = 0; i < group->count; i++) {
        const struct member *member = &group->members[i];
        if (may_lead(member, kind) && member->reign > 0 &&
            (leader == NULL || member->reign > leader->reign)) {
            leader = member;
        }
    }
    return leader;
}

const struct member *group_follower(const struct group *group, enum member_kind kind)
{
    const struct member *leader = group_leader(group, kind);

    for (size_t i = 0; leader != NULL && i < group->count; i++) {
        const struct member *member = &group->members[i];
        if (member != leader && may_lead(member, kind)) {
            return member;
        }
    }
    return NULL;
}

bool group_agrees(const struct group *group, enum member_kind kind, bool in_epoch)
{
    const struct member *first = NULL;

    for (size_t i = 0; i < group->count; i++) {
        const struct member *member = &group->members[i];
        if (member->kind != kind || member->killed) {
            continue;
        }
        first = first != NULL ? first : member;
        if (member->seq != first->seq || (in_epoch && member->epoch != first->epoch)) {
            return false;
        }
    }
    return true;
}

int64_t group_last_seq(const struct group *group, enum member_kind kind)
{
    int64_t last = INT64_MAX;

    for (size_t i = 0; i < group->count; i++) {
        const struct member *member = &group->members[i];
        if (member->kind == kind && !member->killed && member->seq < last) {
            last = member->seq;
        }
    }
    return last;
}

/* ---- what the kernel tells ---- */

/* Who has nothing to do sleeps (S). Whoever is ready to run (R), waits for a disk (D) or is stopped (T) has. */
static bool is_held_up(const struct member *member)
{
    char path[40];
    char stat[200] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", member->guard.process.pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        ssize_t length = read(descriptor, stat, sizeof stat - 1);
        stat[length > 0 ? length : 0] = '\0';
        close(descriptor);
    }
    const char *name_end = strrchr(stat, ')'); /* a space, the state, and numbers follow */
    return name_end != NULL && strpbrk(name_end, "RDT") == name_end + 2;
}

bool group_is_held_up(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->members[i].guard.running && is_held_up(&group->members[i])) {
            return true;
        }
    }
    return false;
}
