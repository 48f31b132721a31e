#include "encode/frames.h"

#include <string.h>

#include "common/modes.h"
#include "encode/bitstreams.h"
#include "encode/cuda_library.h"
#include "encode/pictures.h"
#include "encode/surfaces.h"

static NVENCSTATUS check_buffers(struct session *session, const struct surface *surface,
                                 const struct bitstream *bitstream)
{
    if (!surface || !bitstream)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "no such %s buffer", surface ? "output" : "input");
    if (surface->is_registered && !surface->is_mapped)
        return session_refuse(session, NV_ENC_ERR_RESOURCE_NOT_MAPPED, "the surface is not mapped");
    if (surface->is_locked || bitstream->is_locked)
        return session_refuse(session, NV_ENC_ERR_LOCK_BUSY, "a buffer is locked");
    if (bitstream->is_full)
        return session_refuse(session, NV_ENC_ERR_ENCODER_BUSY, "the output buffer was not collected");
    if ((int)surface->width_px < session->width_px || (int)surface->rows < session->height_px)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "the surface is smaller than the picture");
    return NV_ENC_SUCCESS;
}

/* Bring the surface into the session's picture, from the device if it lies there. */
static NVENCSTATUS fetch(struct session *session, const struct surface *surface)
{
    struct pixels pixels = { surface->memory, surface->pitch_bytes, surface->rows, surface->format };
    if (surface->is_registered) {
        size_t length_bytes = buffer_bytes(surface->format, surface->pitch_bytes, surface->rows);
        if (!bytes_reserve(&session->device_copy, length_bytes))
            return session_refuse(session, NV_ENC_ERR_OUT_OF_MEMORY, "copy of the surface");
        pixels.start = session->device_copy.start;
        CUdeviceptr from = (CUdeviceptr)(uintptr_t)surface->memory;
        if (!cuda_copy_to_host(session->context, session->device_copy.start, from, length_bytes))
            return session_refuse(session, NV_ENC_ERR_INVALID_PTR, "the surface is no memory of the device");
    }
    picture_fill(&session->picture, &pixels);
    return NV_ENC_SUCCESS;
}

/* Parameter sets that no repetition brings: before the first picture, unless the caller wants them out of band. */
static bool wants_parameter_sets(const struct session *session, const NV_ENC_PIC_PARAMS *params)
{
    const NV_ENC_CODEC_CONFIG *codec = &session->config.encodeCodecConfig;
    bool is_h264 = session->codec->engine == &engine_h264;
    bool is_out_of_band = is_h264 ? codec->h264Config.disableSPSPPS : codec->hevcConfig.disableSPSPPS;
    return (session->frames == 0 && !is_out_of_band) || params->encodePicFlags & NV_ENC_PIC_FLAG_OUTPUT_SPSPPS;
}

static struct frame_order order_of(const struct session *session, const NV_ENC_PIC_PARAMS *params)
{
    const NV_ENC_CODEC_PIC_PARAMS *codec = &params->codecPicParams;
    bool is_h264 = session->codec->engine == &engine_h264;
    return (struct frame_order){
        .number = session->frames,
        .is_keyframe = session->is_keyframe_due || params->encodePicFlags & NV_ENC_PIC_FLAG_FORCEIDR,
        .is_intra = params->encodePicFlags & NV_ENC_PIC_FLAG_FORCEINTRA,
        .has_parameter_sets = wants_parameter_sets(session, params),
        .sei = is_h264 ? codec->h264PicParams.seiPayloadArray : codec->hevcPicParams.seiPayloadArray,
        .sei_count = (int)(is_h264 ? codec->h264PicParams.seiPayloadArrayCnt : codec->hevcPicParams.seiPayloadArrayCnt),
    };
}

static void log_frame(struct session *session, const struct encoded *encoded, const struct frame_order *order)
{
    call_number(&session->call, "frame", encoded->number);
    call_number(&session->call, "timestamp", (int64_t)encoded->timestamp);
    call_number(&session->call, "is_keyframe", encoded->unit.type == NV_ENC_PIC_TYPE_IDR);
    call_number(&session->call, "bytes", (int64_t)encoded->unit.bytes.length_bytes);
    call_number(&session->call, "slices", encoded->unit.slices);
    call_number(&session->call, "sei", order->sei_count);
}

NVENCSTATUS frame_encode(struct session *session, const NV_ENC_PIC_PARAMS *params)
{
    if (!session->is_initialized)
        return session_refuse(session, NV_ENC_ERR_ENCODER_NOT_INITIALIZED, "picture before initialization");
    const struct surface *surface = surface_find(session, params->inputBuffer);
    struct bitstream *bitstream = bitstream_find(session, params->outputBitstream);
    NVENCSTATUS status = check_buffers(session, surface, bitstream);
    if (status == NV_ENC_SUCCESS)
        status = fetch(session, surface);
    if (status == NV_ENC_SUCCESS)
        status = session_need_engine(session);
    if (status != NV_ENC_SUCCESS)
        return status;
    struct frame_order order = order_of(session, params);
    struct encoded encoded = {
        .number = session->frames,
        .timestamp = params->inputTimeStamp,
        .duration = params->inputDuration,
    };
    if (!session->codec->engine->encode(session->engine, &session->picture, &order, &encoded.unit)) {
        bytes_free(&encoded.unit.bytes);
        return session_refuse(session, NV_ENC_ERR_GENERIC, "the library behind the engine failed");
    }
    session->frames++;
    session->is_keyframe_due = false;
    call_number(&session->call, "flags", params->encodePicFlags);
    log_frame(session, &encoded, &order);
    if (!bitstream_put(session, bitstream, &encoded)) {
        bytes_free(&encoded.unit.bytes);
        return session_refuse(session, NV_ENC_ERR_OUT_OF_MEMORY, "access unit");
    }
    return NV_ENC_SUCCESS;
}

NVENCSTATUS frame_end_of_stream(struct session *session)
{
    if (!session->is_initialized)
        return session_refuse(session, NV_ENC_ERR_ENCODER_NOT_INITIALIZED, "end before initialization");
    if (mode_is_on("DRAIN_MAKES_KEYFRAME"))
        session->is_keyframe_due = true;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS frame_parameter_sets(struct session *session, NV_ENC_SEQUENCE_PARAM_PAYLOAD *params)
{
    if (!session->is_initialized)
        return session_refuse(session, NV_ENC_ERR_ENCODER_NOT_INITIALIZED, "parameter sets before initialization");
    NVENCSTATUS status = session_need_engine(session);
    if (status != NV_ENC_SUCCESS)
        return status;
    struct bytes bytes = { 0 };
    if (!session->codec->engine->parameter_sets(session->engine, &bytes))
        status = session_refuse(session, NV_ENC_ERR_GENERIC, "the library behind the engine failed");
    else if (bytes.length_bytes > params->inBufferSize)
        status = session_refuse(session, NV_ENC_ERR_NOT_ENOUGH_BUFFER, "parameter sets");
    else {
        memcpy(params->spsppsBuffer, bytes.start, bytes.length_bytes);
        *params->outSPSPPSPayloadSize = (uint32_t)bytes.length_bytes;
    }
    bytes_free(&bytes);
    return status;
}
