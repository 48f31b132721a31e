#include "encode/quantizer.h"

#include <math.h>

/* H.265: six steps of QP double the step of quantization, and halve the bits of most pictures. */
#define STEPS_PER_OCTAVE 6.0
#define LOWEST_QP 10.0
#define HIGHEST_QP 51.0
/* Bits per pixel at QP 0 before anything is known: those of noise, so that a first picture is small, not sharp. */
#define USUAL_BITS_PER_PIXEL 60.0
/* A delta frame is cheaper than a keyframe: it starts this much finer. */
#define DELTA_BONUS_QP 2.0
/* Steps for each octave of error. Much less than STEPS_PER_OCTAVE, because noise that vanishes at one QP and comes
 * back at the next would otherwise make sizes swing; quicker down than up, because only too much does harm. */
#define GAIN_ABOVE 2.0
#define GAIN_BELOW 1.0
/* Keyframes are rare: each has to teach more. */
#define KEYFRAME_GAIN 4.0
#define MOST_STEPS 4.0
/* Debt is paid back over this many frames, is never more than that many budgets, and leaves a frame half its own. */
#define PAYBACK_FRAMES 8.0
#define LEAST_SHARE 0.5
#define MOST_SHARE 1.25

static double clamp(double value, double lowest, double highest)
{
    return fmin(fmax(value, lowest), highest);
}

static double budget_bits(const struct quantizer *quantizer)
{
    return quantizer->rate.average_kbps * 1000.0 / quantizer->frames_per_second;
}

void quantizer_start(struct quantizer *quantizer, const struct rate *rate, struct frame_rate frame_rate, int pixels)
{
    *quantizer = (struct quantizer){
        .rate = *rate,
        .frames_per_second = (double)frame_rate.numerator / frame_rate.denominator,
    };
    if (rate->is_constant_qp)
        return;
    double octaves = log2(pixels * USUAL_BITS_PER_PIXEL / budget_bits(quantizer));
    quantizer->keyframe_qp = clamp(STEPS_PER_OCTAVE * octaves, LOWEST_QP, HIGHEST_QP);
    quantizer->delta_qp = clamp(quantizer->keyframe_qp - DELTA_BONUS_QP, LOWEST_QP, HIGHEST_QP);
}

void quantizer_change(struct quantizer *quantizer, const struct rate *rate)
{
    if (!rate->is_constant_qp) {
        /* Half of the way that most pictures would need: the rest is learned. */
        double steps = STEPS_PER_OCTAVE / 2 * log2((double)quantizer->rate.average_kbps / rate->average_kbps);
        quantizer->keyframe_qp = clamp(quantizer->keyframe_qp + steps, LOWEST_QP, HIGHEST_QP);
        quantizer->delta_qp = clamp(quantizer->delta_qp + steps, LOWEST_QP, HIGHEST_QP);
    }
    quantizer->rate = *rate;
    quantizer->debt_bits = 0;
}

int quantizer_qp(const struct quantizer *quantizer, bool is_keyframe)
{
    if (quantizer->rate.is_constant_qp)
        return quantizer->rate.qp;
    return (int)lround(is_keyframe ? quantizer->keyframe_qp : quantizer->delta_qp);
}

static void step(double *qp, double octaves, double gain)
{
    *qp = clamp(*qp + clamp(gain * octaves, -MOST_STEPS, MOST_STEPS), LOWEST_QP, HIGHEST_QP);
}

void quantizer_learn(struct quantizer *quantizer, bool is_keyframe, double bits)
{
    if (quantizer->rate.is_constant_qp)
        return;
    double budget = budget_bits(quantizer);
    double wanted = clamp(budget - quantizer->debt_bits / PAYBACK_FRAMES, LEAST_SHARE * budget, MOST_SHARE * budget);
    double octaves = log2(bits / (is_keyframe ? budget : wanted));
    if (is_keyframe)
        step(&quantizer->keyframe_qp, octaves, KEYFRAME_GAIN);
    else
        step(&quantizer->delta_qp, octaves, octaves > 0 ? GAIN_ABOVE : GAIN_BELOW);
    double most_bits = PAYBACK_FRAMES * budget;
    quantizer->debt_bits = clamp(quantizer->debt_bits + bits - budget, -most_bits, most_bits);
}
