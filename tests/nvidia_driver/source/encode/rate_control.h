/* Rate control: what a caller asks of NVENC, in the terms of libx264 and libx265. */
#ifndef RATE_CONTROL_H
#define RATE_CONTROL_H

#include <ffnvcodec/nvEncodeAPI.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/call_log.h"

/* What an engine is told. Buffers and rates are in units of 1000 bits, as both libraries count. */
struct rate {
    bool is_constant_qp;
    int qp;
    int average_kbps;
    int max_kbps;
    int buffer_kbits;
    /* How full the buffer is at the first frame, from 0 to 1. */
    double initial_fill;
};

struct frame_rate {
    uint32_t numerator;
    uint32_t denominator;
};

/* Return why NVENC would refuse this, or NULL. */
const char *rate_control_refusal(const NV_ENC_RC_PARAMS *wanted);

/* Return what an engine is told that was opened at one frame rate and is fed at another: both libraries spend
 * bits per frame, and cannot be told of a new frame rate. */
struct rate rate_control_plan(const NV_ENC_RC_PARAMS *wanted, struct frame_rate opened_at, struct frame_rate fed_at);

/* Add every field to the line. */
void rate_control_log(const NV_ENC_RC_PARAMS *wanted, struct call *call);

#endif
