/* From a member back to the struct that it is embedded in: how a callback finds its owner. */
#ifndef ORDEM_CONTAINER_OF_H
#define ORDEM_CONTAINER_OF_H

#include <stddef.h>

#define container_of(pointer, type, member)                                                                  \
    ((type *)(void *)&((char *)(pointer))[-(ptrdiff_t)offsetof(type, member)])

#endif
