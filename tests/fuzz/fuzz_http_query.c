/* Whatever stands in the address of a request: what is decoded is UTF-8, no longer than what came, and a query never gives
 * more than it holds. */
#include "common/net/http_server.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer out;
    struct text input = {(const char *)data, size};

    for (int plus = 0; plus <= 1; plus++) {
        buffer_clear(&out);
        bool decoded = http_decode(input, plus != 0, &out);
        assert(out.length <= size && (decoded || out.length == 0));
        assert(text_is_utf8(buffer_text(&out)));
    }
    buffer_clear(&out);
    bool found = http_query_get(input, "wait", &out);
    assert(out.length <= size && (found || out.length == 0) && text_is_utf8(buffer_text(&out)));
    return 0;
}
