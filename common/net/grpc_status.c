#include "common/net/grpc_status.h"

#include <stdio.h>

const char *grpc_status_name(int status)
{
    static _Thread_local char unnamed[24];

    switch (status) {
#define X(name, number)                                                                                      \
    case (number):                                                                                           \
        return #name;
        GRPC_STATUSES(X)
#undef X
    default:
        snprintf(unnamed, sizeof unnamed, "STATUS_%d", status);
        return unnamed;
    }
}
