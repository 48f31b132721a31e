/* Input surfaces: device memory that a caller registers, and host memory that the library lends. */
#ifndef SURFACES_H
#define SURFACES_H

#include <stdbool.h>
#include <stdint.h>

#include "encode/session.h"

struct surface {
    struct surface *next;
    /* Registered memory is the caller's and on the device; the other kind is ours and on the host. */
    bool is_registered;
    bool is_mapped;
    bool is_locked;
    void *memory;
    uint32_t width_px, rows, pitch_bytes;
    NV_ENC_BUFFER_FORMAT format;
};

/* Return NULL for a pointer that is no surface of this session. */
struct surface *surface_find(struct session *session, const void *handle);

NVENCSTATUS surface_create(struct session *session, NV_ENC_CREATE_INPUT_BUFFER *params);
NVENCSTATUS surface_destroy(struct session *session, void *handle);
NVENCSTATUS surface_lock(struct session *session, NV_ENC_LOCK_INPUT_BUFFER *params);
NVENCSTATUS surface_unlock(struct session *session, void *handle);

NVENCSTATUS surface_register(struct session *session, NV_ENC_REGISTER_RESOURCE *params);
NVENCSTATUS surface_unregister(struct session *session, void *handle);
NVENCSTATUS surface_map(struct session *session, NV_ENC_MAP_INPUT_RESOURCE *params);
NVENCSTATUS surface_unmap(struct session *session, void *handle);

/* Return how many there still are. */
int surfaces_count(const struct session *session);
void surfaces_free(struct session *session);

#endif
