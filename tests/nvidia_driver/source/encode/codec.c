#include "encode/codec.h"

#include <string.h>

#define MACROBLOCK_PX 16
/* H.264 level 6.2 and H.265 level 6.2: the number that each standard writes into a stream. */
#define H264_LEVEL_6_2 62
#define H265_LEVEL_6_2 186
/* Bits of the modes constant QP, VBR and CBR. */
#define RATE_CONTROL_MODES (1 << NV_ENC_PARAMS_RC_CONSTQP | 1 << NV_ENC_PARAMS_RC_VBR | 1 << NV_ENC_PARAMS_RC_CBR)

/* Sizes are those that an Ada GPU answers. */
static const struct codec codecs[] = {
    {
        .name = "h264",
        .guid = &NV_ENC_CODEC_H264_GUID,
        .engine = &engine_h264,
        .min_width_px = 145,
        .min_height_px = 49,
        .max_width_px = 4096,
        .max_height_px = 4096,
        .has_slices = true,
        .profile_count = 4,
        .profiles = { &NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID, &NV_ENC_H264_PROFILE_BASELINE_GUID,
                      &NV_ENC_H264_PROFILE_MAIN_GUID, &NV_ENC_H264_PROFILE_HIGH_GUID },
    },
    {
        .name = "h265",
        .guid = &NV_ENC_CODEC_HEVC_GUID,
        .engine = &engine_h265,
        .min_width_px = 129,
        .min_height_px = 33,
        .max_width_px = 8192,
        .max_height_px = 8192,
        .has_slices = false,
        .profile_count = 2,
        .profiles = { &NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID, &NV_ENC_HEVC_PROFILE_MAIN_GUID },
    },
};

bool same_guid(const GUID *one, const GUID *other)
{
    return memcmp(one, other, sizeof *one) == 0;
}

const struct codec *codec_at(uint32_t place)
{
    return place < sizeof codecs / sizeof *codecs ? &codecs[place] : NULL;
}

const struct codec *codec_find(const GUID *guid)
{
    for (uint32_t i = 0; codec_at(i); i++)
        if (same_guid(codec_at(i)->guid, guid))
            return codec_at(i);
    return NULL;
}

int codec_capability(const struct codec *codec, NV_ENC_CAPS wanted)
{
    switch (wanted) {
    case NV_ENC_CAPS_SUPPORTED_RATECONTROL_MODES:
        return RATE_CONTROL_MODES;
    case NV_ENC_CAPS_WIDTH_MIN:
        return codec->min_width_px;
    case NV_ENC_CAPS_HEIGHT_MIN:
        return codec->min_height_px;
    case NV_ENC_CAPS_WIDTH_MAX:
        return codec->max_width_px;
    case NV_ENC_CAPS_HEIGHT_MAX:
        return codec->max_height_px;
    case NV_ENC_CAPS_MB_NUM_MAX:
        return codec->max_width_px / MACROBLOCK_PX * (codec->max_height_px / MACROBLOCK_PX);
    case NV_ENC_CAPS_LEVEL_MAX:
        return codec->engine == &engine_h264 ? H264_LEVEL_6_2 : H265_LEVEL_6_2;
    case NV_ENC_CAPS_SUPPORT_CABAC:
    case NV_ENC_CAPS_SUPPORT_ADAPTIVE_TRANSFORM:
        return codec->engine == &engine_h264;
    case NV_ENC_CAPS_SUPPORT_INTRA_REFRESH:
    case NV_ENC_CAPS_SUPPORT_DYNAMIC_SLICE_MODE:
        return codec->has_slices;
    case NV_ENC_CAPS_SUPPORT_DYN_RES_CHANGE:
    case NV_ENC_CAPS_SUPPORT_DYN_BITRATE_CHANGE:
    case NV_ENC_CAPS_SUPPORT_CUSTOM_VBV_BUF_SIZE:
    case NV_ENC_CAPS_NUM_ENCODER_ENGINES:
        return 1;
    default:
        /* B-frames, lookahead, 4:4:4, 10 bits, lossless, reference invalidation and whatever newer versions ask. */
        return 0;
    }
}
