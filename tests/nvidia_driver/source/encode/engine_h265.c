/* H.265 by libx265, which takes a new rate while it encodes, says that it has, and goes on at the old one (3.5, without
 * frame threads): the quantizer decides instead. */
#include <stdint.h>
#include <stdlib.h>
#include <x265.h>

#include "encode/engine.h"
#include "encode/quantizer.h"

#define MOST_SEI 16
/* What libx265 takes for "never". */
#define NO_KEYFRAMES_UNASKED (-1)

struct h265 {
    x265_encoder *library;
    x265_param *parameters;
    struct quantizer quantizer;
    /* Written once: asking the library overwrites the picture that it has just made. */
    struct bytes parameter_sets;
    bool repeats_parameter_sets;
};

static bool is_parameter_set(const x265_nal *nal)
{
    return nal->type == NAL_UNIT_VPS || nal->type == NAL_UNIT_SPS || nal->type == NAL_UNIT_PPS;
}

static bool is_slice(const x265_nal *nal)
{
    return nal->type < NAL_UNIT_VPS;
}

static void put_colour(x265_param *parameters, const NV_ENC_CONFIG_HEVC_VUI_PARAMETERS *vui)
{
    if (!vui->videoSignalTypePresentFlag)
        return;
    parameters->vui.bEnableVideoSignalTypePresentFlag = 1;
    parameters->vui.bEnableVideoFullRangeFlag = (int)vui->videoFullRangeFlag;
    if (!vui->colourDescriptionPresentFlag)
        return;
    parameters->vui.bEnableColorDescriptionPresentFlag = 1;
    parameters->vui.colorPrimaries = (int)vui->colourPrimaries;
    parameters->vui.transferCharacteristics = (int)vui->transferCharacteristics;
    parameters->vui.matrixCoeffs = (int)vui->colourMatrix;
}

static bool fill(x265_param *parameters, const struct engine_settings *settings)
{
    const NV_ENC_CONFIG_HEVC *config = &settings->config->encodeCodecConfig.hevcConfig;
    if (x265_param_default_preset(parameters, "ultrafast", "zerolatency") < 0)
        return false;
    parameters->logLevel = X265_LOG_NONE;
    /* One thread: the same picture always gives the same bytes. */
    x265_param_parse(parameters, "pools", "none");
    parameters->bEnableWavefront = 0;
    parameters->frameNumThreads = 1;
    parameters->sourceWidth = settings->width_px;
    parameters->sourceHeight = settings->height_px;
    parameters->internalCsp = X265_CSP_I420;
    parameters->fpsNum = settings->frame_rate.numerator;
    parameters->fpsDenom = settings->frame_rate.denominator;
    parameters->bAnnexB = 1;
    parameters->bRepeatHeaders = 1;
    parameters->bEmitInfoSEI = 0;
    parameters->bEnableAccessUnitDelimiters = (int)config->outputAUD;
    parameters->bframes = 0;
    parameters->bOpenGOP = 0;
    parameters->scenecutThreshold = 0;
    bool is_infinite = settings->keyframe_interval_frames == NVENC_INFINITE_GOPLENGTH;
    parameters->keyframeMax = is_infinite ? NO_KEYFRAMES_UNASKED : (int)settings->keyframe_interval_frames;
    put_colour(parameters, &config->hevcVUIParameters);
    parameters->rc.rateControlMode = X265_RC_CQP;
    return true;
}

static void h265_close(void *handle)
{
    struct h265 *engine = handle;
    if (engine->library)
        x265_encoder_close(engine->library);
    if (engine->parameters)
        x265_param_free(engine->parameters);
    bytes_free(&engine->parameter_sets);
    free(engine);
}

static bool read_parameter_sets(struct h265 *engine)
{
    x265_nal *nals;
    uint32_t count;
    bool is_complete = x265_encoder_headers(engine->library, &nals, &count) > 0;
    for (uint32_t i = 0; is_complete && i < count; i++)
        if (is_parameter_set(&nals[i]))
            is_complete = bytes_append(&engine->parameter_sets, nals[i].payload, nals[i].sizeBytes);
    return is_complete;
}

static void *h265_open(const struct engine_settings *settings, const struct rate *rate)
{
    struct h265 *engine = calloc(1, sizeof *engine);
    if (!engine)
        return NULL;
    engine->repeats_parameter_sets = settings->config->encodeCodecConfig.hevcConfig.repeatSPSPPS;
    quantizer_start(&engine->quantizer, rate, settings->frame_rate, settings->width_px * settings->height_px);
    engine->parameters = x265_param_alloc();
    if (engine->parameters && fill(engine->parameters, settings))
        engine->library = x265_encoder_open(engine->parameters);
    if (engine->library && read_parameter_sets(engine))
        return engine;
    h265_close(engine);
    return NULL;
}

static bool h265_set_rate(void *handle, const struct rate *rate)
{
    struct h265 *engine = handle;
    quantizer_change(&engine->quantizer, rate);
    return true;
}

static bool h265_parameter_sets(void *handle, struct bytes *bytes)
{
    struct h265 *engine = handle;
    return bytes_append(bytes, engine->parameter_sets.start, engine->parameter_sets.length_bytes);
}

static void put_picture(const struct h265 *engine, x265_picture *to, const struct picture *picture,
                        const struct frame_order *order, int qp)
{
    x265_picture_init(engine->parameters, to);
    for (int i = 0; i < 3; i++) {
        to->planes[i] = picture->planes[i];
        to->stride[i] = i ? picture->width_px / 2 : picture->width_px;
    }
    to->pts = order->number;
    /* 0 would leave the choice to the library. */
    to->forceqp = qp + 1;
    to->sliceType = order->is_keyframe ? X265_TYPE_IDR : order->is_intra ? X265_TYPE_I : X265_TYPE_AUTO;
}

static NV_ENC_PIC_TYPE type_of(const x265_picture *picture)
{
    if (picture->sliceType == X265_TYPE_IDR)
        return NV_ENC_PIC_TYPE_IDR;
    return picture->sliceType == X265_TYPE_I ? NV_ENC_PIC_TYPE_I : NV_ENC_PIC_TYPE_P;
}

/* Join the NAL units of a picture, with or without parameter sets. */
static bool collect(struct h265 *engine, const x265_nal *nals, uint32_t count, bool wants_sets,
                    struct access_unit *unit)
{
    bool is_complete = true;
    for (uint32_t i = 0; is_complete && i < count; i++) {
        unit->slices += is_slice(&nals[i]);
        if (is_parameter_set(&nals[i]))
            continue;
        /* H.265, 7.4.2.4.4: a delimiter is the first of its access unit, parameter sets follow. */
        if (wants_sets && nals[i].type != NAL_UNIT_ACCESS_UNIT_DELIMITER) {
            is_complete = h265_parameter_sets(engine, &unit->bytes);
            wants_sets = false;
        }
        is_complete = is_complete && bytes_append(&unit->bytes, nals[i].payload, nals[i].sizeBytes);
    }
    return is_complete;
}

static bool h265_encode(void *handle, const struct picture *picture, const struct frame_order *order,
                        struct access_unit *unit)
{
    struct h265 *engine = handle;
    x265_picture input, output;
    x265_sei_payload sei[MOST_SEI];
    int qp = quantizer_qp(&engine->quantizer, order->is_keyframe || order->is_intra);
    put_picture(engine, &input, picture, order, qp);
    input.userSEI.payloads = sei;
    for (int i = 0; i < order->sei_count && i < MOST_SEI; i++)
        sei[input.userSEI.numPayloads++] = (x265_sei_payload){
            (int)order->sei[i].payloadSize, (SEIPayloadType)order->sei[i].payloadType, order->sei[i].payload
        };
    x265_nal *nals;
    uint32_t count;
    if (x265_encoder_encode(engine->library, &nals, &count, &input, &output) <= 0)
        return false;
    unit->type = type_of(&output);
    unit->qp = (uint32_t)qp;
    bool is_delta = unit->type == NV_ENC_PIC_TYPE_P;
    bool repeats_sets = engine->repeats_parameter_sets && unit->type == NV_ENC_PIC_TYPE_IDR;
    bool is_complete = collect(engine, nals, count, order->has_parameter_sets || repeats_sets, unit);
    quantizer_learn(&engine->quantizer, !is_delta, 8.0 * (double)unit->bytes.length_bytes);
    return is_complete;
}

const struct engine_kind engine_h265 = {
    .open = h265_open,
    .set_rate = h265_set_rate,
    .encode = h265_encode,
    .parameter_sets = h265_parameter_sets,
    .close = h265_close,
};
