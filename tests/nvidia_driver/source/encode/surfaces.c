#include "encode/surfaces.h"

#include <stdlib.h>

#include "encode/pictures.h"

/* Rows of lent memory are longer than the picture is wide, so that a caller that ignores the pitch is found out. */
#define PITCH_STEP_BYTES 256

static uint32_t pitch_of(NV_ENC_BUFFER_FORMAT format, uint32_t width_px)
{
    return (buffer_row_bytes(format, width_px) / PITCH_STEP_BYTES + 1) * PITCH_STEP_BYTES;
}

struct surface *surface_find(struct session *session, const void *handle)
{
    struct surface *surface = session->surfaces;
    while (surface && surface != handle)
        surface = surface->next;
    return surface;
}

static struct surface *add(struct session *session, const struct surface *values)
{
    struct surface *surface = malloc(sizeof *surface);
    if (!surface)
        return NULL;
    *surface = *values;
    surface->next = session->surfaces;
    session->surfaces = surface;
    return surface;
}

static void drop(struct session *session, struct surface *surface)
{
    struct surface **link = &session->surfaces;
    while (*link != surface)
        link = &(*link)->next;
    *link = surface->next;
    if (!surface->is_registered)
        free(surface->memory);
    free(surface);
}

static NVENCSTATUS check_layout(struct session *session, const struct surface *values)
{
    if (!session->is_initialized)
        return session_refuse(session, NV_ENC_ERR_ENCODER_NOT_INITIALIZED, "surface before initialization");
    if (!buffer_format_is_known(values->format))
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "surface format 0x%x", (unsigned)values->format);
    if (values->pitch_bytes < buffer_row_bytes(values->format, values->width_px))
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "pitch of %u bytes for %u pixels",
                              values->pitch_bytes, values->width_px);
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_create(struct session *session, NV_ENC_CREATE_INPUT_BUFFER *params)
{
    struct surface values = {
        .width_px = params->width,
        .rows = params->height,
        .pitch_bytes = pitch_of(params->bufferFmt, params->width),
        .format = params->bufferFmt,
    };
    NVENCSTATUS status = check_layout(session, &values);
    if (status != NV_ENC_SUCCESS)
        return status;
    values.memory = calloc(1, buffer_bytes(values.format, values.pitch_bytes, values.rows));
    struct surface *made = values.memory ? add(session, &values) : NULL;
    if (!made) {
        free(values.memory);
        return session_refuse(session, NV_ENC_ERR_OUT_OF_MEMORY, "input buffer");
    }
    params->inputBuffer = made;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_destroy(struct session *session, void *handle)
{
    struct surface *surface = surface_find(session, handle);
    if (!surface || surface->is_registered)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "no such input buffer");
    drop(session, surface);
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_lock(struct session *session, NV_ENC_LOCK_INPUT_BUFFER *params)
{
    struct surface *surface = surface_find(session, params->inputBuffer);
    if (!surface || surface->is_registered)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "no such input buffer");
    if (surface->is_locked)
        return session_refuse(session, NV_ENC_ERR_LOCK_BUSY, "input buffer locked twice");
    surface->is_locked = true;
    params->bufferDataPtr = surface->memory;
    params->pitch = surface->pitch_bytes;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_unlock(struct session *session, void *handle)
{
    struct surface *surface = surface_find(session, handle);
    if (!surface || !surface->is_locked)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "input buffer is not locked");
    surface->is_locked = false;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_register(struct session *session, NV_ENC_REGISTER_RESOURCE *params)
{
    struct surface values = {
        .is_registered = true,
        .memory = params->resourceToRegister,
        .width_px = params->width,
        .rows = params->height,
        .pitch_bytes = params->pitch,
        .format = params->bufferFormat,
    };
    NVENCSTATUS status = check_layout(session, &values);
    if (status != NV_ENC_SUCCESS)
        return status;
    if (params->resourceType != NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR || !values.memory)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "resource of type %d", (int)params->resourceType);
    struct surface *made = add(session, &values);
    if (!made)
        return session_refuse(session, NV_ENC_ERR_OUT_OF_MEMORY, "resource");
    params->registeredResource = made;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_unregister(struct session *session, void *handle)
{
    struct surface *surface = surface_find(session, handle);
    if (!surface || !surface->is_registered)
        return session_refuse(session, NV_ENC_ERR_RESOURCE_NOT_REGISTERED, "no such resource");
    if (surface->is_mapped)
        return session_refuse(session, NV_ENC_ERR_INVALID_CALL, "resource is still mapped");
    drop(session, surface);
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_map(struct session *session, NV_ENC_MAP_INPUT_RESOURCE *params)
{
    struct surface *surface = surface_find(session, params->registeredResource);
    if (!surface || !surface->is_registered)
        return session_refuse(session, NV_ENC_ERR_RESOURCE_NOT_REGISTERED, "no such resource");
    if (surface->is_mapped)
        return session_refuse(session, NV_ENC_ERR_MAP_FAILED, "resource mapped twice");
    surface->is_mapped = true;
    params->mappedResource = surface;
    params->mappedBufferFmt = surface->format;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS surface_unmap(struct session *session, void *handle)
{
    struct surface *surface = surface_find(session, handle);
    if (!surface || !surface->is_mapped)
        return session_refuse(session, NV_ENC_ERR_RESOURCE_NOT_MAPPED, "resource is not mapped");
    surface->is_mapped = false;
    return NV_ENC_SUCCESS;
}

int surfaces_count(const struct session *session)
{
    int count = 0;
    for (const struct surface *each = session->surfaces; each; each = each->next)
        count++;
    return count;
}

void surfaces_free(struct session *session)
{
    while (session->surfaces)
        drop(session, session->surfaces);
}
