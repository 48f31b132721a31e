/* The NVENC API: what libnvidia-encode.so.1 exports, and the table of functions that it fills.
 *
 * Every function of the table enters a session by its handle, asks for a fault, does its work and writes its line in
 * the call log. Its name here is its name in the log and in the faults; the API says "nvEnc" in front of it. */
#include <ffnvcodec/nvEncodeAPI.h>
#include <string.h>

#include "common/export.h"
#include "encode/api_version.h"
#include "encode/bitstreams.h"
#include "common/call_log.h"
#include "encode/configuration.h"
#include "encode/faults.h"
#include "encode/frames.h"
#include "encode/pictures.h"
#include "encode/presets.h"
#include "encode/queries.h"
#include "encode/session.h"
#include "encode/surfaces.h"

/* Return the session, or NULL when the call is over: its handle is unknown or a fault is due. */
static struct session *enter(void *handle, const char *name, NVENCSTATUS *status)
{
    struct session *session = session_enter(handle);
    if (!session) {
        struct call call;
        call_begin(&call, name);
        call_text(&call, "why", "no such session");
        *status = NV_ENC_ERR_INVALID_ENCODERDEVICE;
        call_end(&call, *status);
        return NULL;
    }
    call_begin(&session->call, name);
    call_number(&session->call, "session", session->number);
    *status = fault_of(name);
    if (*status == NV_ENC_SUCCESS)
        return session;
    session_refuse(session, *status, "ordered fault");
    call_end(&session->call, *status);
    session_leave(session);
    fault_hang(*status);
    return NULL;
}

static NVENCSTATUS leave(struct session *session, NVENCSTATUS status)
{
    call_end(&session->call, status);
    session_leave(session);
    return status;
}

/* A function of the table: it has `handle` among its parameters, and `session` in its work. */
#define ENTRY(name, parameters, work)                               \
    static NVENCSTATUS name parameters                              \
    {                                                               \
        NVENCSTATUS status;                                         \
        struct session *session = enter(handle, #name, &status);    \
        return session ? leave(session, work) : status;             \
    }

/* What this GPU does not do. */
#define UNIMPLEMENTED(name, parameters)                             \
    static NVENCSTATUS name parameters                              \
    {                                                               \
        return NV_ENC_ERR_UNIMPLEMENTED;                            \
    }

static NVENCSTATUS open_encode_session_ex(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *params, void **handle)
{
    struct call call;
    struct session *session = NULL;
    call_begin(&call, __func__);
    call_number(&call, "api_version", api_version_of(params->apiVersion));
    NVENCSTATUS status = fault_of(__func__);
    if (status == NV_ENC_SUCCESS)
        status = session_open(params, &session, &call);
    *handle = session;
    call_end(&call, status);
    fault_hang(status);
    return status;
}

static NVENCSTATUS destroy_encoder(void *handle)
{
    NVENCSTATUS status;
    struct session *session = enter(handle, __func__, &status);
    if (!session)
        return status;
    /* The driver frees them, too; a caller that leaves that to it has lost count. */
    call_number(&session->call, "left_surfaces", surfaces_count(session));
    call_number(&session->call, "left_bitstreams", bitstreams_count(session));
    call_end(&session->call, NV_ENC_SUCCESS);
    session_close(session);
    return NV_ENC_SUCCESS;
}

/* What is asked before an encoder is set up. */

ENTRY(get_encode_guid_count, (void *handle, uint32_t *count), query_codec_count(count))
ENTRY(get_encode_guids, (void *handle, GUID *guids, uint32_t room, uint32_t *count), query_codecs(guids, room, count))
ENTRY(get_encode_profile_guid_count, (void *handle, GUID guid, uint32_t *count),
      query_profile_count(session, &guid, count))
ENTRY(get_encode_profile_guids, (void *handle, GUID guid, GUID *profiles, uint32_t room, uint32_t *count),
      query_profiles(session, &guid, profiles, room, count))
ENTRY(get_input_format_count, (void *handle, GUID guid, uint32_t *count),
      query_count(session, &guid, BUFFER_FORMATS, count))
ENTRY(get_input_formats, (void *handle, GUID guid, NV_ENC_BUFFER_FORMAT *formats, uint32_t room, uint32_t *count),
      query_formats(session, &guid, formats, room, count))
ENTRY(get_encode_caps, (void *handle, GUID guid, NV_ENC_CAPS_PARAM *wanted, int *value),
      query_capability(session, &guid, wanted, value))
ENTRY(get_encode_preset_count, (void *handle, GUID guid, uint32_t *count), query_count(session, &guid, PRESETS, count))
ENTRY(get_encode_preset_guids, (void *handle, GUID guid, GUID *presets, uint32_t room, uint32_t *count),
      query_presets(session, &guid, presets, room, count))
ENTRY(get_encode_preset_config, (void *handle, GUID guid, GUID preset, NV_ENC_PRESET_CONFIG *answer),
      query_preset_config(session, &guid, &preset, NV_ENC_TUNING_INFO_HIGH_QUALITY, answer))
ENTRY(get_encode_preset_config_ex,
      (void *handle, GUID guid, GUID preset, NV_ENC_TUNING_INFO tuning, NV_ENC_PRESET_CONFIG *answer),
      query_preset_config(session, &guid, &preset, tuning, answer))

/* Setting up, and changing. */

ENTRY(initialize_encoder, (void *handle, NV_ENC_INITIALIZE_PARAMS *params), configuration_initialize(session, params))
ENTRY(reconfigure_encoder, (void *handle, NV_ENC_RECONFIGURE_PARAMS *params), configuration_change(session, params))
ENTRY(set_io_cuda_streams, (void *handle, NV_ENC_CUSTREAM_PTR input, NV_ENC_CUSTREAM_PTR output), NV_ENC_SUCCESS)

/* Buffers. */

ENTRY(create_input_buffer, (void *handle, NV_ENC_CREATE_INPUT_BUFFER *params), surface_create(session, params))
ENTRY(destroy_input_buffer, (void *handle, NV_ENC_INPUT_PTR buffer), surface_destroy(session, buffer))
ENTRY(lock_input_buffer, (void *handle, NV_ENC_LOCK_INPUT_BUFFER *params), surface_lock(session, params))
ENTRY(unlock_input_buffer, (void *handle, NV_ENC_INPUT_PTR buffer), surface_unlock(session, buffer))
ENTRY(register_resource, (void *handle, NV_ENC_REGISTER_RESOURCE *params), surface_register(session, params))
ENTRY(unregister_resource, (void *handle, NV_ENC_REGISTERED_PTR resource), surface_unregister(session, resource))
ENTRY(map_input_resource, (void *handle, NV_ENC_MAP_INPUT_RESOURCE *params), surface_map(session, params))
ENTRY(unmap_input_resource, (void *handle, NV_ENC_INPUT_PTR resource), surface_unmap(session, resource))
ENTRY(create_bitstream_buffer, (void *handle, NV_ENC_CREATE_BITSTREAM_BUFFER *params),
      bitstream_create(session, params))
ENTRY(destroy_bitstream_buffer, (void *handle, NV_ENC_OUTPUT_PTR buffer), bitstream_destroy(session, buffer))

/* Pictures in, access units out. */

ENTRY(encode_picture, (void *handle, NV_ENC_PIC_PARAMS *params), frame_encode(session, params))
ENTRY(end_of_stream, (void *handle), frame_end_of_stream(session))
ENTRY(lock_bitstream, (void *handle, NV_ENC_LOCK_BITSTREAM *params), bitstream_lock(session, params))
ENTRY(unlock_bitstream, (void *handle, NV_ENC_OUTPUT_PTR buffer), bitstream_unlock(session, buffer))
ENTRY(get_sequence_params, (void *handle, NV_ENC_SEQUENCE_PARAM_PAYLOAD *params), frame_parameter_sets(session, params))

/* The end of a stream is a picture with a flag. It has a name of its own, so that faults can count frames. */
static NVENCSTATUS encode_picture_or_end(void *handle, NV_ENC_PIC_PARAMS *params)
{
    bool is_end = params->encodePicFlags & NV_ENC_PIC_FLAG_EOS;
    return is_end ? end_of_stream(handle) : encode_picture(handle, params);
}

static const char *get_last_error_string(void *handle)
{
    struct session *session = session_enter(handle);
    if (!session)
        return "no such session";
    session_leave(session);
    return session->why;
}

UNIMPLEMENTED(open_encode_session, (void *device, uint32_t type, void **handle))
UNIMPLEMENTED(get_encode_stats, (void *handle, NV_ENC_STAT *params))
UNIMPLEMENTED(get_sequence_param_ex,
              (void *handle, NV_ENC_INITIALIZE_PARAMS *params, NV_ENC_SEQUENCE_PARAM_PAYLOAD *payload))
UNIMPLEMENTED(async_event, (void *handle, NV_ENC_EVENT_PARAMS *params))
UNIMPLEMENTED(invalidate_ref_frames, (void *handle, uint64_t timestamp))
UNIMPLEMENTED(create_mv_buffer, (void *handle, NV_ENC_CREATE_MV_BUFFER *params))
UNIMPLEMENTED(destroy_mv_buffer, (void *handle, NV_ENC_OUTPUT_PTR buffer))
UNIMPLEMENTED(run_motion_estimation_only, (void *handle, NV_ENC_MEONLY_PARAMS *params))

static void fill_setup(NV_ENCODE_API_FUNCTION_LIST *list)
{
    list->nvEncOpenEncodeSession = open_encode_session;
    list->nvEncOpenEncodeSessionEx = open_encode_session_ex;
    list->nvEncGetEncodeGUIDCount = get_encode_guid_count;
    list->nvEncGetEncodeGUIDs = get_encode_guids;
    list->nvEncGetEncodeProfileGUIDCount = get_encode_profile_guid_count;
    list->nvEncGetEncodeProfileGUIDs = get_encode_profile_guids;
    list->nvEncGetInputFormatCount = get_input_format_count;
    list->nvEncGetInputFormats = get_input_formats;
    list->nvEncGetEncodeCaps = get_encode_caps;
    list->nvEncGetEncodePresetCount = get_encode_preset_count;
    list->nvEncGetEncodePresetGUIDs = get_encode_preset_guids;
    list->nvEncGetEncodePresetConfig = get_encode_preset_config;
    list->nvEncGetEncodePresetConfigEx = get_encode_preset_config_ex;
    list->nvEncInitializeEncoder = initialize_encoder;
    list->nvEncReconfigureEncoder = reconfigure_encoder;
    list->nvEncSetIOCudaStreams = set_io_cuda_streams;
    list->nvEncDestroyEncoder = destroy_encoder;
    list->nvEncGetLastErrorString = get_last_error_string;
}

static void fill_frames(NV_ENCODE_API_FUNCTION_LIST *list)
{
    list->nvEncCreateInputBuffer = create_input_buffer;
    list->nvEncDestroyInputBuffer = destroy_input_buffer;
    list->nvEncLockInputBuffer = lock_input_buffer;
    list->nvEncUnlockInputBuffer = unlock_input_buffer;
    list->nvEncRegisterResource = register_resource;
    list->nvEncUnregisterResource = unregister_resource;
    list->nvEncMapInputResource = map_input_resource;
    list->nvEncUnmapInputResource = unmap_input_resource;
    list->nvEncCreateBitstreamBuffer = create_bitstream_buffer;
    list->nvEncDestroyBitstreamBuffer = destroy_bitstream_buffer;
    list->nvEncEncodePicture = encode_picture_or_end;
    list->nvEncLockBitstream = lock_bitstream;
    list->nvEncUnlockBitstream = unlock_bitstream;
    list->nvEncGetSequenceParams = get_sequence_params;
}

static void fill_unimplemented(NV_ENCODE_API_FUNCTION_LIST *list)
{
    list->nvEncGetEncodeStats = get_encode_stats;
    list->nvEncGetSequenceParamEx = get_sequence_param_ex;
    list->nvEncRegisterAsyncEvent = async_event;
    list->nvEncUnregisterAsyncEvent = async_event;
    list->nvEncInvalidateRefFrames = invalidate_ref_frames;
    list->nvEncCreateMVBuffer = create_mv_buffer;
    list->nvEncDestroyMVBuffer = destroy_mv_buffer;
    list->nvEncRunMotionEstimationOnly = run_motion_estimation_only;
}

EXPORT NVENCSTATUS NvEncodeAPIGetMaxSupportedVersion(uint32_t *version)
{
    *version = api_version_newest();
    return NV_ENC_SUCCESS;
}

EXPORT NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *list)
{
    if (!list)
        return NV_ENC_ERR_INVALID_PTR;
    if (!api_version_is_spoken(list->version))
        return NV_ENC_ERR_INVALID_VERSION;
    fill_setup(list);
    fill_frames(list);
    fill_unimplemented(list);
    return NV_ENC_SUCCESS;
}
