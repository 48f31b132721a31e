#include "encode/bitstreams.h"

#include <stdlib.h>

#include "common/modes.h"

/* hwEncodeStatus: the picture is complete. */
#define ENCODE_DONE 2

struct held_unit {
    struct held_unit *next;
    struct encoded encoded;
};

struct bitstream *bitstream_find(struct session *session, const void *handle)
{
    struct bitstream *bitstream = session->bitstreams;
    while (bitstream && bitstream != handle)
        bitstream = bitstream->next;
    return bitstream;
}

NVENCSTATUS bitstream_create(struct session *session, NV_ENC_CREATE_BITSTREAM_BUFFER *params)
{
    if (!session->is_initialized)
        return session_refuse(session, NV_ENC_ERR_ENCODER_NOT_INITIALIZED, "output buffer before initialization");
    struct bitstream *made = calloc(1, sizeof *made);
    if (!made)
        return session_refuse(session, NV_ENC_ERR_OUT_OF_MEMORY, "output buffer");
    made->next = session->bitstreams;
    session->bitstreams = made;
    params->bitstreamBuffer = made;
    return NV_ENC_SUCCESS;
}

static void drop(struct session *session, struct bitstream *bitstream)
{
    struct bitstream **link = &session->bitstreams;
    while (*link != bitstream)
        link = &(*link)->next;
    *link = bitstream->next;
    bytes_free(&bitstream->encoded.unit.bytes);
    free(bitstream);
}

NVENCSTATUS bitstream_destroy(struct session *session, void *handle)
{
    struct bitstream *bitstream = bitstream_find(session, handle);
    if (!bitstream)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "no such output buffer");
    drop(session, bitstream);
    return NV_ENC_SUCCESS;
}

/* Append to the queue of held units; return its length, or 0 when memory is short. */
static long hold(struct session *session, const struct encoded *encoded)
{
    struct held_unit *made = malloc(sizeof *made);
    if (!made)
        return 0;
    *made = (struct held_unit){ .encoded = *encoded };
    struct held_unit **last = &session->held;
    long length = 1;
    for (; *last; last = &(*last)->next)
        length++;
    *last = made;
    return length;
}

static struct encoded release(struct session *session)
{
    struct held_unit *first = session->held;
    struct encoded encoded = first->encoded;
    session->held = first->next;
    free(first);
    return encoded;
}

bool bitstream_put(struct session *session, struct bitstream *bitstream, struct encoded *encoded)
{
    long length = hold(session, encoded);
    if (!length)
        return false;
    bytes_free(&bitstream->encoded.unit.bytes);
    bitstream->encoded = length > mode_number("HELD_PACKETS", 0) ? release(session) : (struct encoded){ 0 };
    bitstream->is_full = true;
    return true;
}

NVENCSTATUS bitstream_lock(struct session *session, NV_ENC_LOCK_BITSTREAM *params)
{
    struct bitstream *bitstream = bitstream_find(session, params->outputBitstream);
    if (!bitstream)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "no such output buffer");
    if (bitstream->is_locked)
        return session_refuse(session, NV_ENC_ERR_LOCK_BUSY, "output buffer locked twice");
    if (!bitstream->is_full)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "nothing was encoded into the output buffer");
    const struct encoded *encoded = &bitstream->encoded;
    bitstream->is_locked = true;
    params->bitstreamBufferPtr = encoded->unit.bytes.start;
    params->bitstreamSizeInBytes = (uint32_t)encoded->unit.bytes.length_bytes;
    params->outputTimeStamp = encoded->timestamp;
    params->outputDuration = encoded->duration;
    params->pictureType = encoded->unit.type;
    params->pictureStruct = NV_ENC_PIC_STRUCT_FRAME;
    params->frameIdx = encoded->number;
    params->frameAvgQP = encoded->unit.qp;
    params->numSlices = (uint32_t)encoded->unit.slices;
    params->hwEncodeStatus = ENCODE_DONE;
    call_number(&session->call, "frame", encoded->number);
    call_number(&session->call, "bytes", (int64_t)encoded->unit.bytes.length_bytes);
    return NV_ENC_SUCCESS;
}

NVENCSTATUS bitstream_unlock(struct session *session, void *handle)
{
    struct bitstream *bitstream = bitstream_find(session, handle);
    if (!bitstream || !bitstream->is_locked)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "output buffer is not locked");
    bitstream->is_locked = false;
    bitstream->is_full = false;
    return NV_ENC_SUCCESS;
}

int bitstreams_count(const struct session *session)
{
    int count = 0;
    for (const struct bitstream *each = session->bitstreams; each; each = each->next)
        count++;
    return count;
}

void bitstreams_free(struct session *session)
{
    while (session->bitstreams)
        drop(session, session->bitstreams);
    while (session->held) {
        struct encoded encoded = release(session);
        bytes_free(&encoded.unit.bytes);
    }
}
