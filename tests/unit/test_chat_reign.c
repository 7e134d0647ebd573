/* parte5-chat/reign: the files of those who led, one after the other, and what hands and accidents leave there. */
#include "tests/unit/unit_volume.h"

#include <string.h>
#include <sys/stat.h>

struct reign {
    struct store store;
    struct chat chat;
    int64_t fence;
};

static int try_reign(struct fixture *f, unsigned self, struct reign *reign)
{
    lead(f, self);
    *reign = (struct reign){.fence = f->files[self].fence};
    return reign_open(&reign->store, f->folder, reign->fence, &f->log, &reign->chat, &f->error);
}

static void begin(struct fixture *f, unsigned self, struct reign *reign)
{
    assert_int_equal(try_reign(f, self, reign), 0);
}

static void end(struct reign *reign)
{
    store_close(&reign->store);
    chat_free(&reign->chat);
}

/* A user who logs in is a change. */
static void take(struct reign *reign, const char *user)
{
    char id[40];

    snprintf(id, sizeof id, "5f1d7a70-9f0d-4a43-bb2b-%012lld", (long long)chat_last_seq(&reign->chat));
    struct change *change = change_new(&(struct change){.type = CHANGE_LOGIN,
                                                        .request_id = text_of(id),
                                                        .user = text_of(user),
                                                        .seq = chat_last_seq(&reign->chat) + 1,
                                                        .epoch = reign->fence});
    store_record(&reign->store, change);
    chat_apply(&reign->chat, change);
    change_unref(change);
    assert_int_equal(store_commit(&reign->store, NULL), 0);
}

static bool is_last(const struct fixture *f, unsigned self)
{
    int64_t last;

    assert_int_equal(lock_file_last(&f->files[self], &last, NULL), 0);
    return last == f->files[self].fence;
}

static void a_write_with_a_stale_fence_is_refused_and_nobody_reads_it(void **state)
{
    struct fixture *f = *state;
    struct reign first;
    struct reign second;
    struct reign third;

    begin(f, 1, &first);
    take(&first, "ana");
    assert_true(is_last(f, 1)); /* it may say OK */
    begin(f, 2, &second);
    assert_true(chat_has_user(&second.chat, text_of("ana")));
    take(&first, "too late");
    assert_false(is_last(f, 1));
    take(&second, "rui");
    assert_true(is_last(f, 2));
    begin(f, 3, &third);
    assert_true(chat_has_user(&third.chat, text_of("ana")) && chat_has_user(&third.chat, text_of("rui")));
    assert_false(chat_has_user(&third.chat, text_of("too late")));
    end(&first);
    end(&second);
    end(&third);
}

static void a_reign_that_never_got_its_files_is_passed_over(void **state)
{
    struct fixture *f = *state;
    struct reign first;
    struct reign third;
    char path[REIGN_PATH_MAX];

    begin(f, 1, &first);
    take(&first, "ana");
    lead(f, 2); /* and died, in the middle of its copy */
    path_of(f, 2, "data.new", path);
    assert_int_equal(mkdir(path, 0777), 0);
    begin(f, 3, &third);
    assert_true(chat_has_user(&third.chat, text_of("ana")));
    end(&first);
    end(&third);
}

static void old_reigns_are_removed_but_for_the_last_one(void **state)
{
    struct fixture *f = *state;
    struct reign reign;
    char path[REIGN_PATH_MAX];

    for (unsigned i = 0; i < 6; i++) {
        begin(f, i % SERVERS + 1, &reign);
        take(&reign, "ana");
        end(&reign);
    }
    for (int64_t fence = 1; fence <= 6; fence++) {
        path_of(f, fence, "", path);
        assert_int_equal(access(path, F_OK) == 0, fence >= 5);
    }
}

static void damaged_files_are_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    struct reign reign;
    char path[REIGN_PATH_MAX];
    char bytes[100];

    begin(f, 1, &reign);
    take(&reign, "ana");
    end(&reign);
    path_of(f, 1, "data/usuarios.json", path);
    write_file(path, TEXT("{\"type\":\"login\"}\n"));
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(try_reign(f, 2, &reign), ERROR_FILE);
        assert_non_null(strstr(f->error.text, "usuarios.json is damaged in line 1"));
    }
    assert_text_equal(read_file(path, bytes, sizeof bytes), TEXT("{\"type\":\"login\"}\n"));
    path_of(f, 5, "data", path);
    assert_int_equal(access(path, F_OK), -1); /* no copies of it pile up */
    path_of(f, 1, "data/usuarios.json", path);
    write_file(path, TEXT(""));
    begin(f, 3, &reign);
    end(&reign);
}

static void names_lead_to_the_last_reign(void **state)
{
    struct fixture *f = *state;
    struct reign reign;
    char path[REIGN_PATH_MAX + 20];
    char bytes[300];

    begin(f, 1, &reign);
    take(&reign, "ana");
    end(&reign);
    assert_int_equal(reign_show(f->folder, 1, &f->error), 0);
    begin(f, 2, &reign);
    take(&reign, "rui");
    end(&reign);
    assert_int_equal(reign_show(f->folder, 2, &f->error), 0);
    assert_int_equal(reign_show(f->folder, 2, &f->error), 0);
    snprintf(path, sizeof path, "%s/usuarios.json", f->folder);
    struct text users = read_file(path, bytes, sizeof bytes - 1);
    bytes[users.length] = '\0';
    assert_non_null(strstr(bytes, "\"rui\""));
    snprintf(path, sizeof path, "%s/leader.lock", f->folder);
    users = read_file(path, bytes, sizeof bytes - 1);
    bytes[users.length] = '\0';
    assert_non_null(strstr(bytes, "\"owner\":\"server2\",\"fence\":2,"));
    assert_int_equal(unlink(path), 0);
    write_file(path, TEXT("somebody's own"));
    assert_int_equal(reign_show(f->folder, 2, &f->error), ERROR_FILE);
    assert_text_equal(read_file(path, bytes, sizeof bytes), TEXT("somebody's own"));
}

UNIT_MAIN(TEST(a_write_with_a_stale_fence_is_refused_and_nobody_reads_it),
          TEST(a_reign_that_never_got_its_files_is_passed_over),
          TEST(old_reigns_are_removed_but_for_the_last_one), TEST(damaged_files_are_refused_and_left_alone),
          TEST(names_lead_to_the_last_reign))
