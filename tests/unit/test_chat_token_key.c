/* parte5-chat/token_key: the secret that servers sign with, from a setting or from a folder that they share. */
#include "parte5-chat/tokens.h"

#include "common/directory.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_a_secret_that_is_too_short_or_too_long_is_refused(void **state)
{
    char secret[TOKEN_KEY_MAX + 1];
    struct token_key key;
    struct error error;
    (void)state;

    memset(secret, 'x', sizeof secret);
    assert_int_equal(token_key_from_text(&key, (struct text){secret, 31}, &error), ERROR_CONFIG);
    assert_string_equal(error.text, "JWT_SECRET has 31 bytes: 32 to 1024 are allowed");
    assert_int_equal(token_key_from_text(&key, (struct text){secret, 1025}, &error), ERROR_CONFIG);
    assert_int_equal(token_key_from_text(&key, (struct text){secret, 32}, &error), 0);
    assert_int_equal(token_key_from_text(&key, (struct text){secret, 1024}, &error), 0);
}

struct folder {
    char path[64], file[100];
};

static int make_folder(void **state)
{
    static struct folder folder;

    strcpy(folder.path, "/tmp/ordem-test-XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    snprintf(folder.file, sizeof folder.file, "%s/jwt_secret", folder.path);
    *state = &folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;

    return directory_remove(folder->path, NULL);
}

static void test_the_secret_is_made_once(void **state)
{
    const struct folder *folder = *state;
    struct token_key first;
    struct token_key second;
    struct stat status;

    assert_int_equal(token_key_from_folder(&first, folder->path, NULL), 0);
    assert_int_equal(token_key_from_folder(&second, folder->path, NULL), 0);
    assert_int_equal(first.length, 32);
    assert_memory_equal(first.bytes, second.bytes, 32);
    assert_int_equal(stat(folder->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_nlink, 1);
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(rmdir(folder->path), 0); /* nothing else was left there */
    assert_int_equal(mkdir(folder->path, 0700), 0);
    assert_int_equal(token_key_from_folder(&second, folder->path, NULL), 0);
    assert_memory_not_equal(first.bytes, second.bytes, 32);
}

/* Servers on one volume, all started at once. */
static void test_all_who_make_the_secret_at_once_have_the_same(void **state)
{
    enum { SERVERS = 8 };
    const struct folder *folder = *state;
    struct token_key first;
    struct token_key key;
    int pipe_ends[2];

    assert_int_equal(pipe(pipe_ends), 0);
    for (int i = 0; i < SERVERS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            bool made = token_key_from_folder(&key, folder->path, NULL) == 0 && key.length == 32 &&
                        write(pipe_ends[1], key.bytes, 32) == 32;
            _exit(made ? 0 : 1);
        }
    }
    for (int i = 0; i < SERVERS; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
        assert_int_equal(read(pipe_ends[0], (i == 0 ? &first : &key)->bytes, 32), 32);
        assert_memory_equal(first.bytes, (i == 0 ? &first : &key)->bytes, 32);
    }
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void test_a_secret_that_others_may_read_is_refused(void **state)
{
    const struct folder *folder = *state;
    struct token_key key;
    struct error error;

    assert_int_equal(token_key_from_folder(&key, folder->path, NULL), 0);
    for (mode_t bit = 1; bit < 0100; bit <<= 1) {
        assert_int_equal(chmod(folder->file, 0600 | bit), 0);
        assert_int_equal(token_key_from_folder(&key, folder->path, &error), ERROR_FILE);
        assert_non_null(strstr(error.text, "others may read or write it"));
    }
    assert_int_equal(chmod(folder->file, 0400), 0);
    assert_int_equal(token_key_from_folder(&key, folder->path, NULL), 0);
}

static void put(const char *path, const char *content)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, content, strlen(content)), (ssize_t)strlen(content));
    close(descriptor);
}

static void test_a_secret_of_another_shape_is_refused_and_kept(void **state)
{
    static const char digits[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const struct folder *folder = *state;
    struct token_key key;
    struct error error;
    char content[200];

    snprintf(content, sizeof content, "%s\n", digits);
    put(folder->file, content);
    assert_int_equal(token_key_from_folder(&key, folder->path, NULL), 0);
    assert_int_equal(key.bytes[31], 31);
    for (size_t i = 0; i < 65; i++) { /* cut */
        snprintf(content, sizeof content, "%.*s", (int)i, digits);
        put(folder->file, content);
        assert_int_equal(token_key_from_folder(&key, folder->path, &error), ERROR_FILE);
        assert_null(strstr(error.text, "0001"));
    }
    static const char *const others[] = {
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f1\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g\n",
        "000102030405060708090a0b0c0d0e0f10111213141516171819 1b1c1d1e1f1\n",
        " 00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put(folder->file, others[i]);
        assert_int_equal(token_key_from_folder(&key, folder->path, &error), ERROR_FILE);
    }
}

static void test_what_is_no_file_is_refused(void **state)
{
    const struct folder *folder = *state;
    struct token_key key;
    char other[100];

    assert_int_equal(mkdir(folder->file, 0700), 0);
    assert_int_equal(token_key_from_folder(&key, folder->path, NULL), ERROR_FILE);
    assert_int_equal(rmdir(folder->file), 0);
    assert_int_equal(mkfifo(folder->file, 0600), 0);
    assert_int_equal(token_key_from_folder(&key, folder->path, NULL),
                     ERROR_FILE); /* and does not wait for a writer */
    assert_int_equal(unlink(folder->file), 0);
    snprintf(other, sizeof other, "%s/other", folder->path);
    put(other, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
    assert_int_equal(symlink(other, folder->file), 0);
    assert_int_equal(token_key_from_folder(&key, folder->path, NULL), ERROR_FILE);
    assert_int_equal(token_key_from_folder(&key, "/nowhere/at/all", NULL), ERROR_FILE);
}

#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

UNIT_MAIN(cmocka_unit_test(test_a_secret_that_is_too_short_or_too_long_is_refused),
          IN_FOLDER(test_the_secret_is_made_once),
          IN_FOLDER(test_all_who_make_the_secret_at_once_have_the_same),
          IN_FOLDER(test_a_secret_that_others_may_read_is_refused),
          IN_FOLDER(test_a_secret_of_another_shape_is_refused_and_kept),
          IN_FOLDER(test_what_is_no_file_is_refused))
