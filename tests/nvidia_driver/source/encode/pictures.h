/* From what a caller hands in to what an engine takes: 4:2:0 planes in host memory. */
#ifndef PICTURES_H
#define PICTURES_H

#include <ffnvcodec/nvEncodeAPI.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encode/engine.h"

#define BUFFER_FORMATS 5

/* Memory with a picture in it, of whatever format. */
struct pixels {
    const uint8_t *start;
    uint32_t pitch_bytes;
    uint32_t rows;
    NV_ENC_BUFFER_FORMAT format;
};

/* The formats that the engine takes: NV12, YV12, IYUV, ARGB and ABGR. */
NV_ENC_BUFFER_FORMAT buffer_format_at(int place);
bool buffer_format_is_known(NV_ENC_BUFFER_FORMAT format);

/* Return how wide a row of this many pixels is, without padding. */
uint32_t buffer_row_bytes(NV_ENC_BUFFER_FORMAT format, uint32_t width_px);

/* Return the length of all planes of a picture. */
size_t buffer_bytes(NV_ENC_BUFFER_FORMAT format, uint32_t pitch_bytes, uint32_t rows);

/* Make planes of this size, in place of those that were there. */
bool picture_make(struct picture *picture, int width_px, int height_px);
void picture_free(struct picture *picture);

void picture_fill(struct picture *picture, const struct pixels *pixels);

#endif
