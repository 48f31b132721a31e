#include "encode/rate_control.h"

#include <math.h>

#define BITS_PER_KBIT 1000
/* Of H.264 and H.265 with 8 bits per sample. */
#define HIGHEST_QP 51
/* What both libraries fill by default. */
#define USUAL_FILL 0.9

static bool is_constant_quality(const NV_ENC_RC_PARAMS *wanted)
{
    return wanted->rateControlMode == NV_ENC_PARAMS_RC_VBR && wanted->targetQuality && !wanted->averageBitRate;
}

const char *rate_control_refusal(const NV_ENC_RC_PARAMS *wanted)
{
    switch (wanted->rateControlMode) {
    case NV_ENC_PARAMS_RC_CONSTQP:
        return wanted->constQP.qpInterP > HIGHEST_QP || wanted->constQP.qpIntra > HIGHEST_QP ? "QP above 51" : NULL;
    case NV_ENC_PARAMS_RC_VBR:
    case NV_ENC_PARAMS_RC_CBR:
        break;
    default:
        /* The deprecated modes are gone since API 10; a caller that still asks for one should know. */
        return "rate control mode";
    }
    if (wanted->enableLookahead)
        return "lookahead";
    if (wanted->vbvInitialDelay > wanted->vbvBufferSize)
        return "initial delay above the size of the buffer";
    return wanted->averageBitRate || is_constant_quality(wanted) ? NULL : "no bitrate";
}

static int kbits(double bits)
{
    /* Rounded up: a buffer of one frame must not become smaller than a frame. */
    double rounded = ceil(bits / BITS_PER_KBIT);
    return rounded < 1 ? 1 : (int)rounded;
}

struct rate rate_control_plan(const NV_ENC_RC_PARAMS *wanted, struct frame_rate opened_at, struct frame_rate fed_at)
{
    if (wanted->rateControlMode == NV_ENC_PARAMS_RC_CONSTQP) {
        /* libx264 takes 0 for lossless, which the profiles of the web do not have. */
        int qp = wanted->constQP.qpInterP ? (int)wanted->constQP.qpInterP : 1;
        return (struct rate){ .is_constant_qp = true, .qp = qp };
    }
    if (is_constant_quality(wanted))
        return (struct rate){ .is_constant_qp = true, .qp = wanted->targetQuality };
    double speed = (double)opened_at.numerator * fed_at.denominator / opened_at.denominator / fed_at.numerator;
    double average_bps = wanted->averageBitRate;
    bool has_peak = wanted->rateControlMode == NV_ENC_PARAMS_RC_VBR && wanted->maxBitRate > wanted->averageBitRate;
    double max_bps = has_peak ? wanted->maxBitRate : average_bps;
    /* NVENC's own choice for 0 is not documented; a second is what its samples take. */
    double buffer_bits = wanted->vbvBufferSize ? wanted->vbvBufferSize : average_bps;
    return (struct rate){
        .average_kbps = kbits(average_bps * speed),
        .max_kbps = kbits(max_bps * speed),
        .buffer_kbits = kbits(buffer_bits),
        .initial_fill = wanted->vbvInitialDelay ? wanted->vbvInitialDelay / buffer_bits : USUAL_FILL,
    };
}

void rate_control_log(const NV_ENC_RC_PARAMS *wanted, struct call *call)
{
    call_number(call, "rate_control_mode", wanted->rateControlMode);
    call_number(call, "average_bps", wanted->averageBitRate);
    call_number(call, "max_bps", wanted->maxBitRate);
    call_number(call, "vbv_bits", wanted->vbvBufferSize);
    call_number(call, "vbv_initial_bits", wanted->vbvInitialDelay);
    call_number(call, "constant_qp_p", wanted->constQP.qpInterP);
    call_number(call, "constant_qp_b", wanted->constQP.qpInterB);
    call_number(call, "constant_qp_i", wanted->constQP.qpIntra);
    call_number(call, "has_min_qp", wanted->enableMinQP);
    call_number(call, "min_qp_p", wanted->minQP.qpInterP);
    call_number(call, "min_qp_i", wanted->minQP.qpIntra);
    call_number(call, "has_max_qp", wanted->enableMaxQP);
    call_number(call, "max_qp_p", wanted->maxQP.qpInterP);
    call_number(call, "max_qp_i", wanted->maxQP.qpIntra);
    call_number(call, "has_initial_qp", wanted->enableInitialRCQP);
    call_number(call, "initial_qp_p", wanted->initialRCQP.qpInterP);
    call_number(call, "initial_qp_i", wanted->initialRCQP.qpIntra);
    call_number(call, "adaptive_quantization", wanted->enableAQ);
    call_number(call, "adaptive_quantization_strength", wanted->aqStrength);
    call_number(call, "temporal_adaptive_quantization", wanted->enableTemporalAQ);
    call_number(call, "lookahead", wanted->enableLookahead);
    call_number(call, "lookahead_frames", wanted->lookaheadDepth);
    call_number(call, "zero_reorder_delay", wanted->zeroReorderDelay);
    call_number(call, "non_reference_p", wanted->enableNonRefP);
    call_number(call, "strict_gop_target", wanted->strictGOPTarget);
    call_number(call, "target_quality", wanted->targetQuality);
    call_number(call, "target_quality_fraction", wanted->targetQualityLSB);
    call_number(call, "low_delay_keyframe_scale", wanted->lowDelayKeyFrameScale);
    call_number(call, "multi_pass", wanted->multiPass);
}
