#include "encode/pictures.h"

#include <stdlib.h>
#include <string.h>

static const NV_ENC_BUFFER_FORMAT formats[BUFFER_FORMATS] = {
    NV_ENC_BUFFER_FORMAT_NV12, NV_ENC_BUFFER_FORMAT_YV12, NV_ENC_BUFFER_FORMAT_IYUV,
    NV_ENC_BUFFER_FORMAT_ARGB, NV_ENC_BUFFER_FORMAT_ABGR,
};

static bool is_rgb(NV_ENC_BUFFER_FORMAT format)
{
    return format == NV_ENC_BUFFER_FORMAT_ARGB || format == NV_ENC_BUFFER_FORMAT_ABGR;
}

NV_ENC_BUFFER_FORMAT buffer_format_at(int place)
{
    return formats[place];
}

bool buffer_format_is_known(NV_ENC_BUFFER_FORMAT format)
{
    for (int i = 0; i < BUFFER_FORMATS; i++)
        if (formats[i] == format)
            return true;
    return false;
}

uint32_t buffer_row_bytes(NV_ENC_BUFFER_FORMAT format, uint32_t width_px)
{
    return is_rgb(format) ? 4 * width_px : width_px;
}

size_t buffer_bytes(NV_ENC_BUFFER_FORMAT format, uint32_t pitch_bytes, uint32_t rows)
{
    size_t plane_bytes = (size_t)pitch_bytes * rows;
    return is_rgb(format) ? plane_bytes : plane_bytes + plane_bytes / 2;
}

bool picture_make(struct picture *picture, int width_px, int height_px)
{
    size_t luma_bytes = (size_t)width_px * (size_t)height_px;
    uint8_t *memory = malloc(luma_bytes + luma_bytes / 2);
    if (!memory)
        return false;
    picture_free(picture);
    *picture = (struct picture){
        .planes = { memory, memory + luma_bytes, memory + luma_bytes + luma_bytes / 4 },
        .width_px = width_px,
        .height_px = height_px,
    };
    return true;
}

void picture_free(struct picture *picture)
{
    free(picture->planes[0]);
    *picture = (struct picture){ 0 };
}

static void copy_rows(uint8_t *to, const uint8_t *from, size_t pitch_bytes, int width_px, int rows)
{
    for (int row = 0; row < rows; row++)
        memcpy(to + (size_t)row * (size_t)width_px, from + (size_t)row * pitch_bytes, (size_t)width_px);
}

static void fill_from_nv12(struct picture *picture, const struct pixels *pixels)
{
    copy_rows(picture->planes[0], pixels->start, pixels->pitch_bytes, picture->width_px, picture->height_px);
    const uint8_t *chroma = pixels->start + (size_t)pixels->pitch_bytes * pixels->rows;
    uint8_t *u = picture->planes[1], *v = picture->planes[2];
    for (int row = 0; row < picture->height_px / 2; row++, chroma += pixels->pitch_bytes)
        for (int x = 0; x < picture->width_px; x += 2) {
            *u++ = chroma[x];
            *v++ = chroma[x + 1];
        }
}

static void fill_from_planes(struct picture *picture, const struct pixels *pixels)
{
    size_t luma_bytes = (size_t)pixels->pitch_bytes * pixels->rows;
    const uint8_t *chroma = pixels->start + luma_bytes;
    bool is_v_first = pixels->format == NV_ENC_BUFFER_FORMAT_YV12;
    copy_rows(picture->planes[0], pixels->start, pixels->pitch_bytes, picture->width_px, picture->height_px);
    for (int i = 0; i < 2; i++)
        copy_rows(picture->planes[is_v_first ? 2 - i : 1 + i], chroma + (size_t)i * luma_bytes / 4,
                  pixels->pitch_bytes / 2, picture->width_px / 2, picture->height_px / 2);
}

/* BT.601, limited range, whatever the stream says of itself: so does NVENC. In units of 1/256. */
static uint8_t luma(int red, int green, int blue)
{
    return (uint8_t)((66 * red + 129 * green + 25 * blue + 128) / 256 + 16);
}

/* Of the sums of four pixels, hence units of 1/1024; 128 is added first, so that the sum is never negative. */
static uint8_t chroma_u(int red, int green, int blue)
{
    return (uint8_t)((-38 * red - 74 * green + 112 * blue + 128 * 1024 + 512) / 1024);
}

static uint8_t chroma_v(int red, int green, int blue)
{
    return (uint8_t)((112 * red - 94 * green - 18 * blue + 128 * 1024 + 512) / 1024);
}

static void fill_from_rgb(struct picture *picture, const struct pixels *pixels)
{
    /* The formats are named by words of 32 bits with the first letter on top: in memory ARGB is B, G, R, A. */
    int red_at = pixels->format == NV_ENC_BUFFER_FORMAT_ARGB ? 2 : 0;
    int blue_at = 2 - red_at;
    uint8_t *y = picture->planes[0], *u = picture->planes[1], *v = picture->planes[2];
    for (int row = 0; row < picture->height_px; row++) {
        const uint8_t *from = pixels->start + (size_t)row * pixels->pitch_bytes;
        for (int x = 0; x < picture->width_px; x++, from += 4)
            *y++ = luma(from[red_at], from[1], from[blue_at]);
    }
    for (int row = 0; row < picture->height_px; row += 2) {
        const uint8_t *top = pixels->start + (size_t)row * pixels->pitch_bytes;
        const uint8_t *below = top + pixels->pitch_bytes;
        for (int x = 0; x < picture->width_px; x += 2, top += 8, below += 8) {
            int red = top[red_at] + top[red_at + 4] + below[red_at] + below[red_at + 4];
            int green = top[1] + top[5] + below[1] + below[5];
            int blue = top[blue_at] + top[blue_at + 4] + below[blue_at] + below[blue_at + 4];
            *u++ = chroma_u(red, green, blue);
            *v++ = chroma_v(red, green, blue);
        }
    }
}

void picture_fill(struct picture *picture, const struct pixels *pixels)
{
    if (is_rgb(pixels->format))
        fill_from_rgb(picture, pixels);
    else if (pixels->format == NV_ENC_BUFFER_FORMAT_NV12)
        fill_from_nv12(picture, pixels);
    else
        fill_from_planes(picture, pixels);
}
