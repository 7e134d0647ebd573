/* The status of a gRPC call: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
#ifndef ORDEM_GRPC_STATUS_H
#define ORDEM_GRPC_STATUS_H

#define GRPC_STATUSES(X)                                                                                     \
    X(OK, 0)                                                                                                 \
    X(CANCELLED, 1)                                                                                          \
    X(UNKNOWN, 2)                                                                                            \
    X(INVALID_ARGUMENT, 3)                                                                                   \
    X(DEADLINE_EXCEEDED, 4)                                                                                  \
    X(NOT_FOUND, 5)                                                                                          \
    X(ALREADY_EXISTS, 6)                                                                                     \
    X(PERMISSION_DENIED, 7)                                                                                  \
    X(RESOURCE_EXHAUSTED, 8)                                                                                 \
    X(FAILED_PRECONDITION, 9)                                                                                \
    X(ABORTED, 10)                                                                                           \
    X(OUT_OF_RANGE, 11)                                                                                      \
    X(UNIMPLEMENTED, 12)                                                                                     \
    X(INTERNAL, 13)                                                                                          \
    X(UNAVAILABLE, 14)                                                                                       \
    X(DATA_LOSS, 15)                                                                                         \
    X(UNAUTHENTICATED, 16)

enum grpc_status {
#define X(name, number) GRPC_##name = (number),
    GRPC_STATUSES(X)
#undef X
};

/* "DEADLINE_EXCEEDED"; "STATUS_99" for a number that has no name (per-thread text). */
const char *grpc_status_name(int status);

#endif
