#include "encode/bytes.h"

#include <stdlib.h>
#include <string.h>

bool bytes_reserve(struct bytes *bytes, size_t capacity_bytes)
{
    if (capacity_bytes <= bytes->capacity_bytes)
        return true;
    uint8_t *start = realloc(bytes->start, capacity_bytes);
    if (!start)
        return false;
    bytes->start = start;
    bytes->capacity_bytes = capacity_bytes;
    return true;
}

bool bytes_append(struct bytes *bytes, const void *more, size_t length_bytes)
{
    if (!bytes_reserve(bytes, bytes->length_bytes + length_bytes))
        return false;
    if (length_bytes)
        memcpy(bytes->start + bytes->length_bytes, more, length_bytes);
    bytes->length_bytes += length_bytes;
    return true;
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->start);
    *bytes = (struct bytes){ 0 };
}
