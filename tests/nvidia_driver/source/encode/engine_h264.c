/* H.264 by libx264. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <x264.h>

#include "encode/engine.h"

#define MOST_SEI 16
#define MACROBLOCK_PX 16
/* Frames of a refresh when the caller asks for one and does not say how long. */
#define USUAL_REFRESH_FRAMES 60
#define SMALL_BUFFER_FRAMES 2.0
#define COMPENSATION 1.07

struct h264 {
    x264_t *library;
    x264_param_t parameters;
    /* Written once: asking the library overwrites the picture that it has just made. */
    struct bytes parameter_sets;
    bool repeats_parameter_sets;
};

/* How fast P1 to P7 are in NVENC says nothing here: tests want each of them quick, and each different. */
static const char *const presets[] = { "ultrafast", "ultrafast", "ultrafast", "superfast",
                                       "superfast", "veryfast",  "veryfast" };

static bool is_parameter_set(const x264_nal_t *nal)
{
    return nal->i_type == NAL_SPS || nal->i_type == NAL_PPS;
}

static bool is_slice(const x264_nal_t *nal)
{
    return nal->i_type == NAL_SLICE || nal->i_type == NAL_SLICE_IDR;
}

/* libx264 leaves 5 to 13 % of a buffer unused that holds no more than one frame or two. */
static double compensation(const x264_param_t *parameters, const struct rate *rate)
{
    double frame_kbits = (double)rate->max_kbps * parameters->i_fps_den / parameters->i_fps_num;
    return rate->buffer_kbits < SMALL_BUFFER_FRAMES * frame_kbits ? COMPENSATION : 1.0;
}

static void put_rate(x264_param_t *parameters, const struct rate *rate)
{
    if (rate->is_constant_qp) {
        parameters->rc.i_rc_method = X264_RC_CQP;
        parameters->rc.i_qp_constant = rate->qp;
        return;
    }
    parameters->rc.i_rc_method = X264_RC_ABR;
    double more = compensation(parameters, rate);
    parameters->rc.i_bitrate = (int)(rate->average_kbps * more);
    parameters->rc.i_vbv_max_bitrate = (int)(rate->max_kbps * more);
    parameters->rc.i_vbv_buffer_size = (int)(rate->buffer_kbits * more);
    parameters->rc.f_vbv_buffer_init = (float)rate->initial_fill;
}

/* sliceMode: 0 macroblocks, 1 bytes, 2 rows of macroblocks in a slice, 3 slices in a picture. */
static void put_slices(x264_param_t *parameters, const NV_ENC_CONFIG_H264 *config)
{
    int value = (int)config->sliceModeData;
    int rows = (parameters->i_height + MACROBLOCK_PX - 1) / MACROBLOCK_PX;
    if (!value)
        return;
    switch (config->sliceMode) {
    case 0:
        parameters->i_slice_max_mbs = value;
        break;
    case 1:
        parameters->i_slice_max_size = value;
        break;
    case 2:
        parameters->i_slice_count = (rows + value - 1) / value;
        break;
    case 3:
        parameters->i_slice_count = value;
        break;
    }
}

static void put_colour(x264_param_t *parameters, const NV_ENC_CONFIG_H264_VUI_PARAMETERS *vui)
{
    if (!vui->videoSignalTypePresentFlag)
        return;
    parameters->vui.b_fullrange = (int)vui->videoFullRangeFlag;
    if (!vui->colourDescriptionPresentFlag)
        return;
    parameters->vui.i_colorprim = (int)vui->colourPrimaries;
    parameters->vui.i_transfer = (int)vui->transferCharacteristics;
    parameters->vui.i_colmatrix = (int)vui->colourMatrix;
}

static const char *profile_of(const GUID *profile)
{
    if (!memcmp(profile, &NV_ENC_H264_PROFILE_BASELINE_GUID, sizeof *profile))
        return "baseline";
    return memcmp(profile, &NV_ENC_H264_PROFILE_MAIN_GUID, sizeof *profile) ? "high" : "main";
}

static bool fill(x264_param_t *parameters, const struct engine_settings *settings, const struct rate *rate)
{
    const NV_ENC_CONFIG_H264 *config = &settings->config->encodeCodecConfig.h264Config;
    if (x264_param_default_preset(parameters, presets[settings->preset - 1], "zerolatency") < 0)
        return false;
    parameters->i_log_level = X264_LOG_ERROR;
    /* One thread: the same picture always gives the same bytes. */
    parameters->i_threads = 1;
    parameters->i_width = settings->width_px;
    parameters->i_height = settings->height_px;
    parameters->i_csp = X264_CSP_I420;
    parameters->i_fps_num = settings->frame_rate.numerator;
    parameters->i_fps_den = settings->frame_rate.denominator;
    parameters->b_vfr_input = 0;
    parameters->b_annexb = 1;
    parameters->b_repeat_headers = 1;
    parameters->b_aud = (int)config->outputAUD;
    parameters->i_bframe = 0;
    /* NVENC makes no keyframe at a change of scene without lookahead. */
    parameters->i_scenecut_threshold = 0;
    bool is_infinite = settings->keyframe_interval_frames == NVENC_INFINITE_GOPLENGTH;
    parameters->i_keyint_max = is_infinite ? X264_KEYINT_MAX_INFINITE : (int)settings->keyframe_interval_frames;
    if (config->enableIntraRefresh) {
        parameters->b_intra_refresh = 1;
        parameters->i_keyint_max = config->intraRefreshPeriod ? (int)config->intraRefreshPeriod : USUAL_REFRESH_FRAMES;
    }
    put_slices(parameters, config);
    put_colour(parameters, &config->h264VUIParameters);
    put_rate(parameters, rate);
    return x264_param_apply_profile(parameters, profile_of(&settings->config->profileGUID)) == 0;
}

static void h264_close(void *handle)
{
    struct h264 *engine = handle;
    if (engine->library)
        x264_encoder_close(engine->library);
    x264_param_cleanup(&engine->parameters);
    bytes_free(&engine->parameter_sets);
    free(engine);
}

static bool read_parameter_sets(struct h264 *engine)
{
    x264_nal_t *nals;
    int count;
    bool is_complete = x264_encoder_headers(engine->library, &nals, &count) > 0;
    for (int i = 0; is_complete && i < count; i++)
        if (is_parameter_set(&nals[i]))
            is_complete = bytes_append(&engine->parameter_sets, nals[i].p_payload, (size_t)nals[i].i_payload);
    return is_complete;
}

static void *h264_open(const struct engine_settings *settings, const struct rate *rate)
{
    struct h264 *engine = calloc(1, sizeof *engine);
    if (!engine)
        return NULL;
    engine->repeats_parameter_sets = settings->config->encodeCodecConfig.h264Config.repeatSPSPPS;
    if (fill(&engine->parameters, settings, rate))
        engine->library = x264_encoder_open(&engine->parameters);
    if (engine->library && read_parameter_sets(engine))
        return engine;
    h264_close(engine);
    return NULL;
}

static bool h264_set_rate(void *handle, const struct rate *rate)
{
    struct h264 *engine = handle;
    put_rate(&engine->parameters, rate);
    return x264_encoder_reconfig(engine->library, &engine->parameters) == 0;
}

static bool h264_parameter_sets(void *handle, struct bytes *bytes)
{
    struct h264 *engine = handle;
    return bytes_append(bytes, engine->parameter_sets.start, engine->parameter_sets.length_bytes);
}

static void put_picture(x264_picture_t *to, const struct picture *picture, const struct frame_order *order)
{
    x264_picture_init(to);
    to->img.i_csp = X264_CSP_I420;
    to->img.i_plane = 3;
    for (int i = 0; i < 3; i++) {
        to->img.plane[i] = picture->planes[i];
        to->img.i_stride[i] = i ? picture->width_px / 2 : picture->width_px;
    }
    to->i_pts = order->number;
    to->i_type = order->is_keyframe ? X264_TYPE_IDR : order->is_intra ? X264_TYPE_I : X264_TYPE_AUTO;
}

static NV_ENC_PIC_TYPE type_of(const x264_picture_t *picture)
{
    if (picture->i_type == X264_TYPE_IDR)
        return NV_ENC_PIC_TYPE_IDR;
    return picture->i_type == X264_TYPE_I ? NV_ENC_PIC_TYPE_I : NV_ENC_PIC_TYPE_P;
}

/* Join the NAL units of a picture, with or without parameter sets. */
static bool collect(struct h264 *engine, const x264_nal_t *nals, int count, bool wants_sets, struct access_unit *unit)
{
    bool is_complete = true;
    for (int i = 0; is_complete && i < count; i++) {
        unit->slices += is_slice(&nals[i]);
        if (is_parameter_set(&nals[i]))
            continue;
        /* H.264, 7.4.1.2.3: a delimiter is the first of its access unit, parameter sets follow. */
        if (wants_sets && nals[i].i_type != NAL_AUD) {
            is_complete = h264_parameter_sets(engine, &unit->bytes);
            wants_sets = false;
        }
        is_complete = is_complete && bytes_append(&unit->bytes, nals[i].p_payload, (size_t)nals[i].i_payload);
    }
    return is_complete;
}

static bool h264_encode(void *handle, const struct picture *picture, const struct frame_order *order,
                        struct access_unit *unit)
{
    struct h264 *engine = handle;
    x264_picture_t input, output;
    x264_sei_payload_t sei[MOST_SEI];
    put_picture(&input, picture, order);
    input.extra_sei.payloads = sei;
    for (int i = 0; i < order->sei_count && i < MOST_SEI; i++)
        sei[input.extra_sei.num_payloads++] = (x264_sei_payload_t){
            (int)order->sei[i].payloadSize, (int)order->sei[i].payloadType, order->sei[i].payload
        };
    x264_nal_t *nals;
    int count;
    if (x264_encoder_encode(engine->library, &nals, &count, &input, &output) <= 0)
        return false;
    unit->type = type_of(&output);
    unit->qp = (uint32_t)(output.i_qpplus1 - 1);
    bool repeats_sets = engine->repeats_parameter_sets && output.i_type == X264_TYPE_IDR;
    return collect(engine, nals, count, order->has_parameter_sets || repeats_sets, unit);
}

const struct engine_kind engine_h264 = {
    .open = h264_open,
    .set_rate = h264_set_rate,
    .encode = h264_encode,
    .parameter_sets = h264_parameter_sets,
    .close = h264_close,
};
