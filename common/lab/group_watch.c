/* What members tell in their logs of who leads, and of how far they are: read on while the run lasts. Where nobody can be
 * asked for that, it is how the lab knows whom to kill as the leader, and when all have what the leader has. */
#include "common/lab/group.h"
#include "common/memory.h"

#include <fcntl.h>
#include <inttypes.h>
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
        member->seq = number_of(line, length, "\"seq\":");
        member->epoch = number_of(line, length, "\"epoch\":");
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

bool group_agrees(const struct group *group, enum member_kind kind)
{
    const struct member *first = NULL;

    for (size_t i = 0; i < group->count; i++) {
        const struct member *member = &group->members[i];
        if (member->kind != kind || member->killed) {
            continue;
        }
        first = first != NULL ? first : member;
        if (member->seq != first->seq || member->epoch != first->epoch) {
            return false;
        }
    }
    return true;
}
