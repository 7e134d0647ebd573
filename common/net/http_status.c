#include "common/net/http_status.h"

const char *http_status_phrase(enum http_status status)
{
    switch (status) {
#define X(name, code, phrase)                                                                                \
    case name:                                                                                               \
        return phrase;
        HTTP_STATUSES(X)
#undef X
    }
    return "";
}
