/* parte5-chat/lock_file: several servers at one lock, and what hands and accidents leave there. */
#include "tests/unit/unit_volume.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void one_of_two_gets_the_number(void **state)
{
    struct fixture *f = *state;
    struct lock nobody = read_lock(f, 1);

    expect_lock(nobody, NO_SERVER, 0, 0);
    expect_lock(swap(f, 2, nobody, (struct lock){2, 1, 0}), 2, 1, 0);
    expect_lock(swap(f, 1, nobody, (struct lock){1, 1, 0}), 2, 1, 0);
    expect_lock(read_lock(f, 3), 2, 1, 0);
}

static void a_renewal_is_seen_and_one_that_comes_too_late_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct lock mine = {1, 1, 0};
    struct lock renewed = {1, 1, 1};

    lead(f, 1);
    expect_lock(swap(f, 1, mine, renewed), 1, 1, 1);
    expect_lock(read_lock(f, 2), 1, 1, 1);
    expect_lock(swap(f, 2, mine, (struct lock){2, 2, 0}), 1, 1, 1); /* it was renewed meanwhile */
    expect_lock(swap(f, 2, renewed, (struct lock){2, 2, 0}), 2, 2, 0);
    expect_lock(swap(f, 1, renewed, (struct lock){1, 1, 2}), 2, 2, 0);
    expect_lock(swap(f, 1, renewed, (struct lock){NO_SERVER, 1, 2}), 2, 2, 0); /* nor does it take it away */
    expect_lock(read_lock(f, 3), 2, 2, 0);
}

static void a_former_life_is_another_server(void **state)
{
    struct fixture *f = *state;

    lead(f, 1);
    lock_file_close(&f->files[1]);
    open_lock(f, 1);
    expect_lock(read_lock(f, 1), OTHER_SERVER, 1, 0);
    expect_lock(swap(f, 1, read_lock(f, 1), (struct lock){1, 2, 0}), 1, 2, 0);
}

static void of_two_of_one_name_one_leads(void **state)
{
    struct fixture *f = *state;
    struct lock nobody = read_lock(f, 1);
    struct lock holds;
    struct lock wanted = {1, 1, 0};
    struct lock_file twin;

    assert_int_equal(lock_file_open(&twin, f->folder, &f->members, 1, &f->error), 0);
    expect_lock(swap(f, 1, nobody, wanted), 1, 1, 0);
    assert_int_equal(lock_file_swap(&twin, &nobody, &wanted, &holds, &f->error), 0);
    expect_lock(holds, OTHER_SERVER, 1, 0);
    lock_file_close(&twin);
}

static void who_leaves_or_is_taken_away_keeps_the_number(void **state)
{
    struct fixture *f = *state;
    char path[REIGN_PATH_MAX];

    lead(f, 1);
    expect_lock(swap(f, 1, (struct lock){1, 1, 0}, (struct lock){NO_SERVER, 1, 1}), NO_SERVER, 1, 0);
    lead(f, 2);
    path_of(f, 2, "leader.lock", path);
    assert_int_equal(unlink(path), 0); /* by hand */
    expect_lock(swap(f, 2, (struct lock){2, 2, 0}, (struct lock){2, 2, 1}), NO_SERVER, 2, 0);
    lead(f, 3);
    assert_int_equal(read_lock(f, 1).fence, 3);
}

static void names_that_are_no_numbers_do_not_count(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {
        "reign-007", "reign--8", "reign-",  "reign-9x", "reign-99999999999999999999",
        "reign-+9",  "reign- 9", "Reign-9", "reign-0"};
    char path[200];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
        assert_int_equal(mkdir(path, 0777), 0);
        assert_int_equal(reign_number(names[i]), 0);
    }
    lead(f, 1);
    assert_int_equal(read_lock(f, 2).fence, 1);
}

/* All that is asked for is refused, and nobody begins a reign; the owner's renewal mends it, whatever was written there. */
static void expect_damaged(struct fixture *f, const char *path, struct text bytes)
{
    struct lock lock;
    struct lock wanted = {2, 2, 0};
    int64_t last;

    write_file(path, bytes);
    assert_int_equal(lock_file_read(&f->files[2], &lock, &f->error), ERROR_FILE);
    assert_non_null(strstr(f->error.text, "reign-1/leader.lock is damaged"));
    assert_int_equal(lock_file_swap(&f->files[2], &(struct lock){1, 1, 0}, &wanted, &lock, &f->error),
                     ERROR_FILE);
    assert_int_equal(lock_file_last(&f->files[2], &last, &f->error), 0);
    assert_int_equal(last, 1);
    expect_lock(swap(f, 1, (struct lock){1, 1, 4}, (struct lock){1, 1, 5}), 1, 1, 5);
}

static void a_damaged_lock_is_an_error_until_it_is_renewed(void **state)
{
    struct fixture *f = *state;
    char path[REIGN_PATH_MAX];
    char much[5000];

    memset(much, ' ', sizeof much);
    lead(f, 1);
    path_of(f, 1, "leader.lock", path);
    expect_damaged(f, path, TEXT(""));
    expect_damaged(f, path, TEXT("{}"));
    expect_damaged(f, path, TEXT("\0\0\0\0"));
    expect_damaged(f, path, TEXT("{\"owner\":\"server1\",\"fence\":1"));
    expect_damaged(f, path, TEXT("{\"owner\":\"server1\",\"fence\":2,\"beat\":0}"));
    expect_damaged(f, path, TEXT("{\"owner\":\"server1\",\"fence\":1,\"beat\":-1}"));
    expect_damaged(f, path, TEXT("{\"owner\":\"server1\",\"fence\":1,\"beat\":1e3}"));
    expect_damaged(f, path, TEXT("{\"owner\":\"server1\",\"fence\":1,\"beat\":9999999999999999999}"));
    expect_damaged(f, path, TEXT("{\"owner\":\"server1\",\"fence\":\"1\",\"beat\":0}"));
    expect_damaged(f, path, TEXT("{\"owner\":1,\"fence\":1,\"beat\":0}"));
    expect_damaged(f, path, TEXT("[1]"));
    expect_damaged(f, path, (struct text){much, sizeof much});
}

static void what_is_no_file_is_an_error_and_holds_nobody_up(void **state)
{
    struct fixture *f = *state;
    struct lock lock;
    char path[REIGN_PATH_MAX];

    lead(f, 1);
    path_of(f, 1, "leader.lock", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(lock_file_read(&f->files[2], &lock, &f->error), ERROR_FILE);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0666), 0);
    assert_int_equal(lock_file_read(&f->files[2], &lock, &f->error), ERROR_FILE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("leader.lock", path), 0);
    assert_int_equal(lock_file_read(&f->files[2], &lock, &f->error), ERROR_FILE);
    assert_int_equal(unlink(path), 0);
    write_file(path, TEXT("{\"owner\":\"who was a server once\",\"fence\":1,\"beat\":3}"));
    expect_lock(read_lock(f, 2), OTHER_SERVER, 1, 3);
}

static void bytes_that_were_changed_at_random_are_refused_or_make_sense(void **state)
{
    struct fixture *f = *state;
    char path[REIGN_PATH_MAX];
    char bytes[300];
    struct lock lock;
    unsigned refused = 0;

    lead(f, 1);
    path_of(f, 1, "leader.lock", path);
    struct text sound = read_file(path, bytes, sizeof bytes);
    srand(1);
    for (int i = 0; i < 3000; i++) {
        char changed[300];
        memcpy(changed, sound.bytes, sound.length);
        for (int k = rand() % 4; k >= 0; k--) {
            changed[(size_t)rand() % sound.length] = (char)rand();
        }
        write_file(path,
                   (struct text){changed, rand() % 4 != 0 ? sound.length : (size_t)rand() % sound.length});
        if (lock_file_read(&f->files[2], &lock, &f->error) != 0) {
            refused++;
        } else {
            assert_true(lock.fence == 1 && lock.beat >= 0 && lock.beat <= EPOCH_MAX &&
                        lock.owner != NO_SERVER);
        }
    }
    assert_in_range(refused, 1000, 2999);
}

/* A process that takes the lock from whoever has it, and tells of every number that it got. */
static void take_again_and_again(struct fixture *f, unsigned self, int to)
{
    struct lock found;

    while (lock_file_read(&f->files[self], &found, NULL) == 0 && found.fence < 40) {
        struct lock wanted = {self, found.fence + 1, 0};
        struct lock holds;
        if (lock_file_swap(&f->files[self], &found, &wanted, &holds, NULL) == 0 && holds.owner == self &&
            holds.fence == wanted.fence && write(to, &holds.fence, sizeof holds.fence) < 0) {
            _exit(1);
        }
    }
    _exit(0);
}

static void no_number_is_given_out_twice(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    int64_t fence;
    int64_t last;
    bool given[41] = {false};

    assert_int_equal(pipe(ends), 0);
    for (unsigned i = 1; i <= SERVERS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            take_again_and_again(f, i, ends[1]);
        }
    }
    close(ends[1]);
    while (read(ends[0], &fence, sizeof fence) == sizeof fence) {
        assert_in_range(fence, 1, 40);
        assert_false(given[fence]);
        given[fence] = true;
    }
    close(ends[0]);
    for (unsigned i = 1; i <= SERVERS; i++) {
        int status;
        assert_true(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(lock_file_last(&f->files[1], &last, &f->error), 0);
    assert_int_equal(last, 40);
}

UNIT_MAIN(TEST(one_of_two_gets_the_number),
          TEST(a_renewal_is_seen_and_one_that_comes_too_late_changes_nothing),
          TEST(a_former_life_is_another_server), TEST(of_two_of_one_name_one_leads),
          TEST(who_leaves_or_is_taken_away_keeps_the_number), TEST(names_that_are_no_numbers_do_not_count),
          TEST(a_damaged_lock_is_an_error_until_it_is_renewed),
          TEST(what_is_no_file_is_an_error_and_holds_nobody_up),
          TEST(bytes_that_were_changed_at_random_are_refused_or_make_sense),
          TEST(no_number_is_given_out_twice))
