#include "encode/configuration.h"

#include <string.h>

#include "common/modes.h"
#include "encode/api_version.h"
#include "encode/pictures.h"
#include "encode/presets.h"

/* Of the word that follows the embedded initialization in NV_ENC_RECONFIGURE_PARAMS. */
#define RESET_ENCODER 1u
#define FORCE_IDR 2u

static NVENCSTATUS check_size(struct session *session, const struct codec *codec, uint32_t width_px, uint32_t height_px)
{
    bool fits = width_px >= (uint32_t)codec->min_width_px && width_px <= (uint32_t)codec->max_width_px
                && height_px >= (uint32_t)codec->min_height_px && height_px <= (uint32_t)codec->max_height_px;
    if (!fits || width_px % 2 || height_px % 2)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "size %ux%u", width_px, height_px);
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS check_config(struct session *session, const struct codec *codec, const NV_ENC_CONFIG *config)
{
    if (config->frameIntervalP > 1)
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "B-frames");
    if (config->frameIntervalP < 0)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "frameIntervalP %d", config->frameIntervalP);
    if (config->gopLength == 0)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "no distance between keyframes");
    const NV_ENC_CONFIG_HEVC *h265 = &config->encodeCodecConfig.hevcConfig;
    if (!codec->has_slices && (h265->enableIntraRefresh || (h265->sliceModeData > 1)))
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "slices or intra refresh");
    const char *refusal = rate_control_refusal(&config->rcParams);
    return refusal ? session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "%s", refusal) : NV_ENC_SUCCESS;
}

static NVENCSTATUS check_initialization(struct session *session, const struct codec *codec,
                                        const NV_ENC_INITIALIZE_PARAMS *params)
{
    if (!codec)
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "codec");
    if (!preset_number(&params->presetGUID) || !tuning_is_known(params->tuningInfo))
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "preset or tuning");
    if (!params->frameRateNum || !params->frameRateDen)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "frame rate");
    if (params->enableEncodeAsync)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "asynchronous mode is for Windows");
    if (!params->enablePTD)
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "picture types chosen by the caller");
    NVENCSTATUS status = check_size(session, codec, params->encodeWidth, params->encodeHeight);
    if (status != NV_ENC_SUCCESS || !params->encodeConfig)
        return status;
    return check_config(session, codec, params->encodeConfig);
}

static void log_configuration(struct session *session, const NV_ENC_INITIALIZE_PARAMS *params)
{
    struct call *call = &session->call;
    const NV_ENC_CONFIG_H264 *h264 = &session->config.encodeCodecConfig.h264Config;
    const NV_ENC_CONFIG_HEVC *h265 = &session->config.encodeCodecConfig.hevcConfig;
    bool is_h264 = session->codec->engine == &engine_h264;
    call_text(call, "codec", session->codec->name);
    call_number(call, "width_px", session->width_px);
    call_number(call, "height_px", session->height_px);
    call_number(call, "max_width_px", session->max_width_px);
    call_number(call, "max_height_px", session->max_height_px);
    call_number(call, "fps_numerator", session->frame_rate.numerator);
    call_number(call, "fps_denominator", session->frame_rate.denominator);
    call_number(call, "preset", session->preset);
    call_number(call, "tuning", params->tuningInfo);
    call_number(call, "gop_frames", session->config.gopLength);
    call_number(call, "idr_period_frames", is_h264 ? h264->idrPeriod : h265->idrPeriod);
    call_number(call, "p_interval_frames", session->config.frameIntervalP);
    call_number(call, "repeats_parameter_sets", is_h264 ? h264->repeatSPSPPS : h265->repeatSPSPPS);
    call_number(call, "intra_refresh", is_h264 ? h264->enableIntraRefresh : h265->enableIntraRefresh);
    call_number(call, "slice_mode", is_h264 ? h264->sliceMode : h265->sliceMode);
    call_number(call, "slice_mode_value", is_h264 ? h264->sliceModeData : h265->sliceModeData);
    rate_control_log(&session->config.rcParams, call);
}

static void take(struct session *session, const NV_ENC_INITIALIZE_PARAMS *params)
{
    session->preset = preset_number(&params->presetGUID);
    session->width_px = (int)params->encodeWidth;
    session->height_px = (int)params->encodeHeight;
    session->frame_rate = (struct frame_rate){ params->frameRateNum, params->frameRateDen };
    if (params->encodeConfig)
        session->config = *params->encodeConfig;
}

NVENCSTATUS configuration_initialize(struct session *session, const NV_ENC_INITIALIZE_PARAMS *params)
{
    if (session->is_initialized)
        return session_refuse(session, NV_ENC_ERR_INVALID_CALL, "initialized twice");
    const struct codec *codec = codec_find(&params->encodeGUID);
    NVENCSTATUS status = check_initialization(session, codec, params);
    if (status != NV_ENC_SUCCESS)
        return status;
    session->codec = codec;
    preset_configure(codec, params->tuningInfo, &session->config);
    take(session, params);
    session->max_width_px = params->maxEncodeWidth ? (int)params->maxEncodeWidth : session->width_px;
    session->max_height_px = params->maxEncodeHeight ? (int)params->maxEncodeHeight : session->height_px;
    if (!picture_make(&session->picture, session->width_px, session->height_px))
        return session_refuse(session, NV_ENC_ERR_OUT_OF_MEMORY, "picture");
    session->is_initialized = true;
    log_configuration(session, params);
    return NV_ENC_SUCCESS;
}

static uint32_t flags_of(const NV_ENC_RECONFIGURE_PARAMS *params)
{
    const char *embedded = (const char *)&params->reInitEncodeParams;
    uint32_t flags;
    memcpy(&flags, embedded + api_version_initialize_bytes(params->version), sizeof flags);
    return flags;
}

/* What NVENC takes only at the start. */
static NVENCSTATUS check_change(struct session *session, const NV_ENC_INITIALIZE_PARAMS *wanted)
{
    NVENCSTATUS status = check_initialization(session, codec_find(&wanted->encodeGUID), wanted);
    if (status != NV_ENC_SUCCESS)
        return status;
    if (codec_find(&wanted->encodeGUID) != session->codec)
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "change of codec");
    if ((int)wanted->encodeWidth > session->max_width_px || (int)wanted->encodeHeight > session->max_height_px)
        return session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "%ux%u is larger than the largest, %dx%d",
                              wanted->encodeWidth, wanted->encodeHeight, session->max_width_px, session->max_height_px);
    const NV_ENC_CONFIG *config = wanted->encodeConfig;
    if (!config)
        return NV_ENC_SUCCESS;
    if (config->gopLength != session->config.gopLength || config->frameIntervalP != session->config.frameIntervalP)
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "change of GOP structure");
    if (config->rcParams.rateControlMode != session->config.rcParams.rateControlMode)
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "change of rate control mode");
    return NV_ENC_SUCCESS;
}

/* Let the engine follow what has changed; it starts anew, with a keyframe, for another size or when it is told to. */
static NVENCSTATUS follow(struct session *session, bool is_restart)
{
    const struct picture *picture = &session->picture;
    bool is_resized = session->width_px != picture->width_px || session->height_px != picture->height_px;
    if (is_resized && !picture_make(&session->picture, session->width_px, session->height_px))
        return session_refuse(session, NV_ENC_ERR_OUT_OF_MEMORY, "picture");
    if (is_resized || is_restart)
        session_close_engine(session);
    if (!session->engine || mode_is_on("IGNORES_RATE"))
        return NV_ENC_SUCCESS;
    struct rate rate = session_rate(session);
    if (!session->codec->engine->set_rate(session->engine, &rate))
        return session_refuse(session, NV_ENC_ERR_GENERIC, "the library behind the engine refuses this rate");
    return NV_ENC_SUCCESS;
}

NVENCSTATUS configuration_change(struct session *session, const NV_ENC_RECONFIGURE_PARAMS *params)
{
    const NV_ENC_INITIALIZE_PARAMS *wanted = &params->reInitEncodeParams;
    if (!session->is_initialized)
        return session_refuse(session, NV_ENC_ERR_ENCODER_NOT_INITIALIZED, "change before initialization");
    NVENCSTATUS status = check_change(session, wanted);
    if (status != NV_ENC_SUCCESS)
        return status;
    uint32_t flags = flags_of(params);
    call_number(&session->call, "reset_encoder", (flags & RESET_ENCODER) != 0);
    call_number(&session->call, "force_keyframe", (flags & FORCE_IDR) != 0);
    take(session, wanted);
    log_configuration(session, wanted);
    if (flags & FORCE_IDR || mode_is_on("RECONFIGURE_MAKES_KEYFRAME"))
        session->is_keyframe_due = true;
    return follow(session, flags & RESET_ENCODER);
}
