/* What learners and stores send to one another: batches and pages of writes, reads, whole states. What is taken is written
 * again and read again, and is the same. */
#include "paxos/reads.h"
#include "paxos/snapshot.h"
#include "paxos/writes.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json_object object, again;
static struct buffer out;

static void expect_error(const struct error *error)
{
    assert(error->code != ERROR_NONE && error->text[0] != '\0');
    assert(text_is_utf8(text_of(error->text)) && !text_has_control(text_of(error->text)));
}

static void try_writes(bool with_data)
{
    static struct writes writes, same;
    struct resources resources = {0};
    struct error error = {0};

    if (writes_read(&writes, &object, with_data, &error) != 0) {
        expect_error(&error);
        return;
    }
    for (size_t i = 0; i < writes.count; i++) {
        buffer_clear(&out);
        writes_put_one(&out, &writes.items[i], with_data);
        assert(json_object_read(&again, buffer_text(&out), &error) == 0);
        assert(writes_read(&same, &again, with_data, &error) == 0 && same.count == 1);
        assert(text_equal(same.items[0].name, writes.items[i].name));
        assert(text_equal(same.items[0].data, writes.items[i].data));
        resources_set(&resources, &writes.items[i]);
    }
    buffer_clear(&out);
    if (with_data && writes_put_page(&out, &resources, writes.last, &object, &error) == 0) {
        assert(json_object_read(&again, buffer_text(&out), &error) == 0);
        assert(writes_read(&same, &again, true, &error) == 0);
    }
    resources_free(&resources);
}

static void try_reads(void)
{
    static struct json_object item;
    struct resources none = {0};
    struct error error = {0};
    int checked = reads_check(&object, &item, &error);

    buffer_clear(&out);
    buffer_add_string(&out, "{\"values\":");
    assert(reads_answer(&none, &object, &item, &out, &error) == checked);
    buffer_add_char(&out, '}');
    if (checked == 0) {
        assert(json_object_read(&again, buffer_text(&out), &error) == 0);
    } else {
        expect_error(&error);
    }
}

static void try_snapshot(void)
{
    struct snapshot snapshot = {0};
    struct snapshot same = {0};
    struct error error = {0};

    if (snapshot_take_page(&snapshot, &object, &error) != 0) {
        expect_error(&error);
    } else if (snapshot.whole) {
        buffer_clear(&out);
        assert(snapshot_put_page(&out, 1, snapshot.instance, &snapshot.state, &snapshot.sessions,
                                 &(struct json_object){0}, &error) == 0);
        assert(json_object_read(&again, buffer_text(&out), &error) == 0);
        assert(snapshot_take_page(&same, &again, &error) == 0);
        assert(same.sessions.noted == snapshot.sessions.noted || !same.whole);
        assert(same.state.resources.count == snapshot.state.resources.count || !same.whole);
    }
    snapshot_free(&snapshot);
    snapshot_free(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {0};

    if (json_object_read(&object, (struct text){(const char *)data, size}, &error) == 0) {
        try_writes(true);
        try_writes(false);
        try_reads();
        try_snapshot();
    }
    return 0;
}
