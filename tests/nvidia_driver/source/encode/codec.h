/* The codecs that the substitute GPU encodes, and what its engine can do of each. AV1 is not among them. */
#ifndef CODEC_H
#define CODEC_H

#include <ffnvcodec/nvEncodeAPI.h>
#include <stdbool.h>

#include "encode/engine.h"

#define MOST_PROFILES 4

struct codec {
    const char *name;
    const GUID *guid;
    const struct engine_kind *engine;
    int min_width_px, min_height_px;
    int max_width_px, max_height_px;
    /* Several slices in a picture, and intra refresh. */
    bool has_slices;
    int profile_count;
    const GUID *profiles[MOST_PROFILES];
};

bool same_guid(const GUID *one, const GUID *other);

/* Return NULL for a codec that the GPU does not have. */
const struct codec *codec_find(const GUID *guid);

/* Return the codec at this place, or NULL behind the last. */
const struct codec *codec_at(uint32_t place);

/* Return what nvEncGetEncodeCaps answers. */
int codec_capability(const struct codec *codec, NV_ENC_CAPS wanted);

#endif
