/* paxos/resources: by name, and in the order of their versions. */
#include "paxos/resources.h"

#include "tests/unit/unit.h"

#include <stdio.h>

static void write_one(struct resources *resources, const char *name, uint64_t version)
{
    resources_set(resources, &(struct resource){.name = text_of(name),
                                                .data = text_of(name),
                                                .version = version,
                                                .timestamp = 10 * version});
}

/* All names beyond a version, in their order, with a dash between them. */
static const char *names_after(const struct resources *resources, uint64_t version, const char *name)
{
    static char names[64];
    size_t length = 0;

    names[0] = '\0';
    for (const struct resource *resource = resources_after(resources, version, text_of(name));
         resource != NULL; resource = resource->next) {
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%.*s", length > 0 ? "-" : "",
                                   (int)resource->name.length, resource->name.bytes);
    }
    return names;
}

static void what_is_written_again_moves_to_the_end(void **state)
{
    struct resources resources = {0};

    (void)state;
    assert_string_equal(names_after(&resources, 0, ""), "");
    write_one(&resources, "a", 1);
    write_one(&resources, "b", 2);
    write_one(&resources, "c", 3);
    assert_string_equal(names_after(&resources, 0, ""), "a-b-c");
    write_one(&resources, "a", 4);
    assert_string_equal(names_after(&resources, 0, ""), "b-c-a");
    write_one(&resources, "c", 5);
    write_one(&resources, "c", 6);
    assert_string_equal(names_after(&resources, 0, ""), "b-a-c");
    assert_int_equal(resources.count, 3);
    assert_int_equal(resources_version(&resources), 6);
    resources_free(&resources);
}

static void pages_go_on_behind_a_resource_or_its_version(void **state)
{
    struct resources resources = {0};

    (void)state;
    write_one(&resources, "a", 1);
    write_one(&resources, "b", 2);
    write_one(&resources, "c", 3);
    assert_string_equal(names_after(&resources, 1, "a"), "b-c");
    assert_string_equal(names_after(&resources, 1, "nobody"), "b-c");
    write_one(&resources, "b", 4); /* it was the last one of a page, and was written again */
    assert_string_equal(names_after(&resources, 2, "b"), "c-b");
    assert_string_equal(names_after(&resources, 4, "b"), "");
    assert_string_equal(names_after(&resources, UINT64_MAX, ""), "");
    resources_free(&resources);
}

static void an_older_version_changes_nothing(void **state)
{
    struct resources resources = {0};

    (void)state;
    write_one(&resources, "a", 5);
    write_one(&resources, "a", 5);
    write_one(&resources, "a", 4);
    assert_int_equal(resources_find(&resources, TEXT("a"))->version, 5);
    write_one(&resources, "b", 3); /* too late, and put where it belongs */
    write_one(&resources, "c", 4);
    assert_string_equal(names_after(&resources, 0, ""), "b-c-a");
    assert_int_equal(resources_version(&resources), 5);
    resources_free(&resources);
}

static void many_are_found(void **state)
{
    struct resources resources = {0};
    char name[16];

    (void)state;
    for (uint64_t i = 1; i <= 10000; i++) {
        snprintf(name, sizeof name, "key%d", (int)(i % 3000));
        write_one(&resources, name, i);
    }
    assert_int_equal(resources.count, 3000);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "key%d", i);
        const struct resource *resource = resources_find(&resources, text_of(name));
        assert_non_null(resource);
        assert_int_equal(resource->version, i <= 1000 ? 9000 + i : 6000 + i);
        assert_int_equal(resource->timestamp, 10 * resource->version);
    }
    assert_null(resources_find(&resources, TEXT("key3000")));
    resources_free(&resources);
}

UNIT_MAIN(cmocka_unit_test(what_is_written_again_moves_to_the_end),
          cmocka_unit_test(pages_go_on_behind_a_resource_or_its_version),
          cmocka_unit_test(an_older_version_changes_nothing), cmocka_unit_test(many_are_found))
