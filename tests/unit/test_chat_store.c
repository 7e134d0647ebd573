/* parte5-chat/store: what is on the disk after a commit, after one that found no room, and after a flush that failed. */
#include "parte5-chat/store.h"

#include "common/directory.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool flushing_fails;

/* In place of the C library's. */
int fdatasync(int descriptor)
{
    if (flushing_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, descriptor);
}

struct fixture {
    char folder[64];
    struct log log;
    struct store store;
    struct chat chat;
    struct error error;
};

static void open_again(struct fixture *f)
{
    chat_free(&f->chat);
    assert_int_equal(store_open(&f->store, f->folder, store_names, &f->log, &f->chat, &f->error), 0);
}

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    *state = &f;
    snprintf(f.folder, sizeof f.folder, "%s/ordem-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(f.folder));
    assert_int_equal(log_open(&f.log, &(struct log_options){.node = "test", .screen = -1}, &f.error), 0);
    open_again(&f);
    return 0;
}

static void limit_files_to(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is as good as a full disk */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    flushing_fails = false;
    limit_files_to(RLIM_INFINITY);
    store_close(&f->store);
    chat_free(&f->chat);
    log_close(&f->log);
    return directory_remove(f->folder, &f->error);
}

/* The next change, as a server takes it: in memory at once. */
static void take(struct fixture *f, enum change_type type, const char *user, const char *target,
                 size_t length)
{
    char *body = calloc(1, length + 1);
    char id[40];

    assert_non_null(body);
    memset(body, 'x', length);
    snprintf(id, sizeof id, "5f1d7a70-9f0d-4a43-bb2b-%012lld", (long long)chat_last_seq(&f->chat));
    struct change *change = change_new(&(struct change){.type = type,
                                                        .request_id = text_of(id),
                                                        .user = text_of(user),
                                                        .target = text_of(target),
                                                        .body = text_of(body),
                                                        .seq = chat_last_seq(&f->chat) + 1,
                                                        .epoch = 65});
    store_record(&f->store, change);
    chat_apply(&f->chat, change);
    change_unref(change);
    free(body);
}

static void commit(struct fixture *f)
{
    assert_true(store_is_dirty(&f->store));
    assert_int_equal(store_commit(&f->store, &f->error), 0);
    assert_false(store_is_dirty(&f->store));
}

static off_t size_of(const struct fixture *f, unsigned file)
{
    return lseek(f->store.files[file].descriptor, 0, SEEK_END);
}

static void begin(struct fixture *f)
{
    take(f, CHANGE_LOGIN, "ana", "", 0);
    take(f, CHANGE_CHANNEL, "ana", "geral", 0);
    take(f, CHANGE_PUBLISH, "ana", "geral", 5);
    store_promise(&f->store, 65);
    commit(f);
}

static void what_was_committed_is_there_again(void **state)
{
    struct fixture *f = *state;

    begin(f);
    take(f, CHANGE_LOGIN, "eva", "", 0); /* and this was not */
    store_close(&f->store);
    open_again(f);
    assert_int_equal(chat_last_seq(&f->chat), 3);
    assert_int_equal(f->store.promised, 65);
    assert_false(chat_has_user(&f->chat, text_of("eva")));
}

static void a_full_disk_takes_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    off_t before[STORE_FILES];

    begin(f);
    for (unsigned i = 0; i < STORE_FILES; i++) {
        before[i] = size_of(f, i);
    }
    limit_files_to(4096);
    take(f, CHANGE_LOGIN, "eva", "", 0); /* for this there is room, */
    take(f, CHANGE_PUBLISH, "ana", "geral", 10000);
    assert_int_equal(store_commit(&f->store, &f->error), ERROR_FULL);
    assert_non_null(strstr(f->error.text, "publications.json cannot be read or written: File too large"));
    assert_false(store_is_dirty(&f->store));
    for (unsigned i = 0; i < STORE_FILES; i++) {
        assert_int_equal(size_of(f, i), before[i]);
    }
    chat_cut(&f->chat, f->store.flushed);
    assert_int_equal(chat_last_seq(&f->chat), 3);
    assert_false(chat_has_user(&f->chat, text_of("eva"))); /* but it would follow a gap */
}

static void writing_goes_on_when_there_is_room_again(void **state)
{
    struct fixture *f = *state;

    begin(f);
    limit_files_to(4096);
    take(f, CHANGE_PUBLISH, "ana", "geral", 10000);
    assert_int_equal(store_commit(&f->store, &f->error), ERROR_FULL);
    chat_cut(&f->chat, f->store.flushed);
    assert_false(store_has_room(&f->store));
    limit_files_to(RLIM_INFINITY);
    off_t before = size_of(f, 2);
    assert_true(store_has_room(&f->store));
    assert_int_equal(size_of(f, 2), before);
    take(f, CHANGE_PUBLISH, "ana", "geral", 10000);
    commit(f);
    store_close(&f->store);
    open_again(f);
    assert_int_equal(chat_last_seq(&f->chat), 4);
}

static void a_promise_that_does_not_fit_was_not_made(void **state)
{
    struct fixture *f = *state;

    begin(f);
    limit_files_to(0);
    store_promise(&f->store, 130);
    take(f, CHANGE_LOGIN, "eva", "", 0);
    assert_int_equal(store_commit(&f->store, &f->error), ERROR_FULL);
    assert_int_equal(f->store.promised, 65);
    assert_false(store_is_dirty(&f->store));
    limit_files_to(RLIM_INFINITY);
    store_close(&f->store);
    open_again(f);
    assert_int_equal(f->store.promised, 65);
    assert_int_equal(chat_last_seq(&f->chat), 3);
}

static void who_dies_while_it_tries_for_room_leaves_a_line_that_was_cut(void **state)
{
    struct fixture *f = *state;

    begin(f);
    assert_int_equal(write(f->store.files[1].descriptor, "      ", 6), 6);
    store_close(&f->store);
    open_again(f);
    assert_int_equal(chat_last_seq(&f->chat), 3);
    assert_int_equal(size_of(f, 1), f->store.files[1].length);
}

static void after_a_flush_that_failed_nothing_is_believed(void **state)
{
    struct fixture *f = *state;

    begin(f);
    off_t before = size_of(f, 2);
    flushing_fails = true;
    take(f, CHANGE_PUBLISH, "ana", "geral", 5);
    assert_int_equal(store_commit(&f->store, &f->error), ERROR_FILE);
    flushing_fails = false; /* the next one would say that all is well */
    assert_false(store_has_room(&f->store));
    take(f, CHANGE_PUBLISH, "ana", "geral", 5);
    assert_int_equal(store_commit(&f->store, &f->error), ERROR_FILE);
    assert_int_equal(size_of(f, 2), before);
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(what_was_committed_is_there_again, setup, teardown),
          cmocka_unit_test_setup_teardown(a_full_disk_takes_all_or_nothing, setup, teardown),
          cmocka_unit_test_setup_teardown(writing_goes_on_when_there_is_room_again, setup, teardown),
          cmocka_unit_test_setup_teardown(a_promise_that_does_not_fit_was_not_made, setup, teardown),
          cmocka_unit_test_setup_teardown(who_dies_while_it_tries_for_room_leaves_a_line_that_was_cut, setup,
                                          teardown),
          cmocka_unit_test_setup_teardown(after_a_flush_that_failed_nothing_is_believed, setup, teardown))
