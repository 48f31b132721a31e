/* A run of bytes that grows. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *start;
    size_t length_bytes;
    size_t capacity_bytes;
};

/* Make room for this many bytes in all; return false when memory is short. */
bool bytes_reserve(struct bytes *bytes, size_t capacity_bytes);

bool bytes_append(struct bytes *bytes, const void *more, size_t length_bytes);

void bytes_free(struct bytes *bytes);

#endif
