/* What every test program starts with: cmocka, a main() that prints TAP for tests/run, and texts that can be compared. */
#ifndef ORDEM_UNIT_H
#define ORDEM_UNIT_H

#include "common/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* UNIT_MAIN(cmocka_unit_test(a), cmocka_unit_test(b)) */
#define UNIT_MAIN(...)                                                                                       \
    int main(void)                                                                                           \
    {                                                                                                        \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                                     \
        cmocka_set_message_output(CM_OUTPUT_TAP);                                                            \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                    \
    }

/* The text of a literal, which may hold NULs. */
#define TEXT(literal) ((struct text){"" literal, sizeof(literal) - 1})

/* Shows both texts where they differ; assert_memory_equal shows only bytes. */
#define assert_text_equal(got, wanted) unit_assert_text_equal((got), (wanted), __FILE__, __LINE__)

static inline void unit_assert_text_equal(struct text got, struct text wanted, const char *file, int line)
{
    if (!text_equal(got, wanted)) {
        print_error("got    (%zu bytes) %.*s\n", got.length, (int)got.length, got.bytes);
        print_error("wanted (%zu bytes) %.*s\n", wanted.length, (int)wanted.length, wanted.bytes);
        _fail(file, line);
    }
}

#endif
