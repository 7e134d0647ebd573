/* For tests of the chat's shared volume: several servers on one. */
#ifndef ORDEM_UNIT_VOLUME_H
#define ORDEM_UNIT_VOLUME_H

#include "parte5-chat/lock_file.h"
#include "parte5-chat/reign.h"

#include "common/directory.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SERVERS 3

struct fixture {
    char folder[64];
    struct chat_members members;
    struct lock_file files[SERVERS + 1]; /* by number */
    struct log log;
    struct error error;
};

static inline void open_lock(struct fixture *f, unsigned self)
{
    assert_int_equal(lock_file_open(&f->files[self], f->folder, &f->members, self, &f->error), 0);
}

static inline int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.members = {.count = SERVERS}};
    *state = &f;
    snprintf(f.folder, sizeof f.folder, "%s/ordem-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(f.folder));
    assert_int_equal(log_open(&f.log, &(struct log_options){.node = "test", .screen = -1}, &f.error), 0);
    for (unsigned i = 1; i <= SERVERS; i++) {
        snprintf(f.members.items[i - 1].name, sizeof f.members.items[i - 1].name, "server%u", i);
        open_lock(&f, i);
    }
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 1; i <= SERVERS; i++) {
        lock_file_close(&f->files[i]);
    }
    log_close(&f->log);
    return directory_remove(f->folder, &f->error);
}

static inline struct lock read_lock(struct fixture *f, unsigned self)
{
    struct lock lock;

    assert_int_equal(lock_file_read(&f->files[self], &lock, &f->error), 0);
    return lock;
}

static inline struct lock swap(struct fixture *f, unsigned self, struct lock found, struct lock wanted)
{
    struct lock holds;

    assert_int_equal(lock_file_swap(&f->files[self], &found, &wanted, &holds, &f->error), 0);
    return holds;
}

static inline void expect_lock(struct lock lock, unsigned owner, int64_t fence, int64_t beat)
{
    assert_int_equal(lock.owner, owner);
    assert_int_equal(lock.fence, fence);
    assert_int_equal(lock.beat, beat);
}

/* Takes whatever is there now. */
static inline void lead(struct fixture *f, unsigned self)
{
    struct lock found = read_lock(f, self);
    struct lock wanted = {self, found.fence + 1, 0};

    expect_lock(swap(f, self, found, wanted), self, wanted.fence, 0);
}

static inline void path_of(const struct fixture *f, int64_t fence, const char *name,
                           char path[REIGN_PATH_MAX])
{
    reign_path(path, f->folder, fence, name);
}

static inline void write_file(const char *path, struct text bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    assert_true(file >= 0);
    assert_int_equal(write(file, bytes.bytes, bytes.length), bytes.length);
    close(file);
}

static inline struct text read_file(const char *path, char *bytes, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(file >= 0);
    ssize_t length = read(file, bytes, size);
    assert_true(length >= 0);
    close(file);
    return (struct text){bytes, (size_t)length};
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
