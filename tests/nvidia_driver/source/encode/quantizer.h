/* Rate control of our own, for a library whose rate cannot be changed while it encodes without a keyframe.
 *
 * It chooses the QP of each picture by what the one before has cost: crude, but a new rate counts from the next
 * picture on. Not a copy of what NVENC does, which nobody outside knows. */
#ifndef QUANTIZER_H
#define QUANTIZER_H

#include <stdbool.h>

#include "encode/rate_control.h"

struct quantizer {
    struct rate rate;
    double frames_per_second;
    double keyframe_qp;
    double delta_qp;
    /* Bits above the budget so far; below it when negative. */
    double debt_bits;
};

void quantizer_start(struct quantizer *quantizer, const struct rate *rate, struct frame_rate frame_rate, int pixels);

/* Take a new rate: from the next picture on. */
void quantizer_change(struct quantizer *quantizer, const struct rate *rate);

int quantizer_qp(const struct quantizer *quantizer, bool is_keyframe);

/* Learn what the picture has cost for which QP was asked last. */
void quantizer_learn(struct quantizer *quantizer, bool is_keyframe, double bits);

#endif
