/* Output buffers: each takes one access unit, and is free again when the caller has collected it. */
#ifndef BITSTREAMS_H
#define BITSTREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "encode/session.h"

/* An access unit with what the caller sent along with its picture. */
struct encoded {
    struct access_unit unit;
    uint32_t number;
    uint64_t timestamp;
    uint64_t duration;
};

struct bitstream {
    struct bitstream *next;
    struct encoded encoded;
    /* From the end of the encode call to the unlock. */
    bool is_full;
    bool is_locked;
};

/* Return NULL for a pointer that is no output buffer of this session. */
struct bitstream *bitstream_find(struct session *session, const void *handle);

NVENCSTATUS bitstream_create(struct session *session, NV_ENC_CREATE_BITSTREAM_BUFFER *params);
NVENCSTATUS bitstream_destroy(struct session *session, void *handle);

/* Put an access unit in, which is the buffer's from then on. The mode HELD_PACKETS = k delivers that of k pictures
 * ago in its place: an empty one for the first k pictures. Return false when memory is short. */
bool bitstream_put(struct session *session, struct bitstream *bitstream, struct encoded *encoded);

NVENCSTATUS bitstream_lock(struct session *session, NV_ENC_LOCK_BITSTREAM *params);
NVENCSTATUS bitstream_unlock(struct session *session, void *handle);

/* Return how many there still are. */
int bitstreams_count(const struct session *session);
void bitstreams_free(struct session *session);

#endif
