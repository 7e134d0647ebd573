/* common/net/grpc_pool: large buffers have places of their own, which come back empty; all else is the heap's. */
#include "common/net/grpc_pool.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define FRAME 16394 /* bytes of a session's frame buffer */

static void *take(struct grpc_place *place, size_t size)
{
    return place->memory.malloc(size, place->memory.mem_user_data);
}

static void *resize(struct grpc_place *place, void *old, size_t size)
{
    return place->memory.realloc(old, size, place->memory.mem_user_data);
}

static void give_back(struct grpc_place *place, void *memory)
{
    place->memory.free(memory, place->memory.mem_user_data);
}

/* The frame buffer of a session that is made. */
static char *make(struct grpc_place *place, struct grpc_pool *pool, int content)
{
    grpc_place_open(place, pool);
    char *buffer = resize(place, NULL, FRAME); /* nghttp2 asks in this way */
    grpc_place_settle(place);
    memset(buffer, content, FRAME);
    return buffer;
}

static void places_are_used_again_and_empty(void **state)
{
    (void)state;
    struct grpc_pool pool;
    struct grpc_place places[3];
    grpc_pool_open(&pool, 2);
    char *first = make(&places[0], &pool, 'a');
    char *second = make(&places[1], &pool, 'b');
    char *third = make(&places[2], &pool, 'c'); /* from the heap */
    assert_ptr_not_equal(first, second);
    assert_int_equal(first[FRAME - 1], 'a');
    give_back(&places[0], first);
    grpc_place_open(&places[0], &pool);
    char *again = take(&places[0], FRAME);
    assert_ptr_equal(again, first);
    assert_int_equal(again[0], 0);
    assert_int_equal(second[FRAME - 1], 'b');
    grpc_place_rest(&places[1]);
    assert_int_equal(second[FRAME - 1], 0);
    grpc_place_rest(&places[2]);
    assert_int_equal(third[FRAME - 1], 'c');
    give_back(&places[0], again);
    give_back(&places[1], second);
    give_back(&places[2], third);
    assert_int_equal(pool.spare_count, 2);
    grpc_pool_close(&pool);
}

static void all_but_the_frame_buffer_is_the_heaps(void **state)
{
    (void)state;
    struct grpc_pool pool;
    struct grpc_place place;
    grpc_pool_open(&pool, 3);
    grpc_place_open(&place, &pool);
    char *small = take(&place, 100);
    char *large = take(&place, 100000);
    char *zeroed = place.memory.calloc(FRAME, 1, place.memory.mem_user_data);
    assert_int_equal(pool.spare_count, 3);
    char *buffer = take(&place, FRAME);
    grpc_place_settle(&place);
    char *later = take(&place, FRAME);
    small = resize(&place, small, 200);
    assert_int_equal(zeroed[FRAME - 1], 0);
    assert_int_equal(pool.spare_count, 2);
    give_back(&place, small);
    give_back(&place, large);
    give_back(&place, zeroed);
    give_back(&place, later);
    give_back(&place, NULL);
    assert_int_equal(pool.spare_count, 2);
    give_back(&place, buffer);
    assert_int_equal(pool.spare_count, 3);
    grpc_pool_close(&pool);
}

static void what_grows_out_of_its_place_keeps_its_content(void **state)
{
    (void)state;
    struct grpc_pool pool;
    struct grpc_place place;
    grpc_pool_open(&pool, 1);
    char *memory = make(&place, &pool, 'x');
    assert_ptr_equal(resize(&place, memory, FRAME + 100), memory);
    memory = resize(&place, memory, 100000);
    assert_int_equal(memory[0], 'x');
    assert_int_equal(memory[FRAME - 1], 'x');
    assert_int_equal(pool.spare_count, 1);
    give_back(&place, memory);
    grpc_pool_close(&pool);
}

UNIT_MAIN(cmocka_unit_test(places_are_used_again_and_empty),
          cmocka_unit_test(all_but_the_frame_buffer_is_the_heaps),
          cmocka_unit_test(what_grows_out_of_its_place_keeps_its_content))
