/* An engine turns pictures into access units of one codec. The libraries behind it are told nothing of NVENC. */
#ifndef ENGINE_H
#define ENGINE_H

#include <ffnvcodec/nvEncodeAPI.h>
#include <stdbool.h>
#include <stdint.h>

#include "encode/bytes.h"
#include "encode/rate_control.h"

/* What stays the same for the life of an engine. */
struct engine_settings {
    int width_px;
    int height_px;
    /* 1 (fastest) to 7, of the presets P1 to P7. */
    int preset;
    struct frame_rate frame_rate;
    /* Frames between unasked keyframes, or NVENC_INFINITE_GOPLENGTH. */
    uint32_t keyframe_interval_frames;
    const NV_ENC_CONFIG *config;
};

/* Planes Y, U and V of 4:2:0 in host memory, rows without padding. */
struct picture {
    uint8_t *planes[3];
    int width_px;
    int height_px;
};

struct frame_order {
    int64_t number;
    bool is_keyframe;
    bool is_intra;
    /* Parameter sets in front of this frame, whatever it is. */
    bool has_parameter_sets;
    const NV_ENC_SEI_PAYLOAD *sei;
    int sei_count;
};

struct access_unit {
    struct bytes bytes;
    NV_ENC_PIC_TYPE type;
    int slices;
    uint32_t qp;
};

/* What each codec provides. Functions that return bool or a pointer return false or NULL when the library refuses. */
struct engine_kind {
    void *(*open)(const struct engine_settings *settings, const struct rate *rate);
    bool (*set_rate)(void *engine, const struct rate *rate);
    /* One picture in, one access unit out, at once. */
    bool (*encode)(void *engine, const struct picture *picture, const struct frame_order *order,
                   struct access_unit *unit);
    bool (*parameter_sets)(void *engine, struct bytes *bytes);
    void (*close)(void *engine);
};

extern const struct engine_kind engine_h264;
extern const struct engine_kind engine_h265;

#endif
