#include "encode/presets.h"

#include <string.h>

/* Nothing rests on these two: a caller that cares sets them. */
#define USUAL_BPS 5000000
#define USUAL_KEYFRAME_INTERVAL_FRAMES 250
#define ONE_SLICE 1
/* sliceMode: sliceModeData is the count of slices. */
#define COUNT_OF_SLICES 3
#define CHROMA_420 1
/* Newer than the header that we build against: NV_ENC_TUNING_INFO_ULTRA_HIGH_QUALITY of 12.2. */
#define NEWEST_TUNING 5

static const GUID *const presets[PRESETS] = {
    &NV_ENC_PRESET_P1_GUID, &NV_ENC_PRESET_P2_GUID, &NV_ENC_PRESET_P3_GUID, &NV_ENC_PRESET_P4_GUID,
    &NV_ENC_PRESET_P5_GUID, &NV_ENC_PRESET_P6_GUID, &NV_ENC_PRESET_P7_GUID,
};

const GUID *preset_at(int place)
{
    return presets[place];
}

int preset_number(const GUID *guid)
{
    for (int i = 0; i < PRESETS; i++)
        if (same_guid(presets[i], guid))
            return i + 1;
    return 0;
}

bool tuning_is_known(NV_ENC_TUNING_INFO tuning)
{
    return tuning >= NV_ENC_TUNING_INFO_HIGH_QUALITY && (int)tuning <= NEWEST_TUNING;
}

static void configure_h264(NV_ENC_CONFIG_H264 *h264, uint32_t keyframe_interval_frames)
{
    h264->idrPeriod = keyframe_interval_frames;
    h264->chromaFormatIDC = CHROMA_420;
    h264->sliceMode = COUNT_OF_SLICES;
    h264->sliceModeData = ONE_SLICE;
    h264->entropyCodingMode = NV_ENC_H264_ENTROPY_CODING_MODE_CABAC;
}

static void configure_h265(NV_ENC_CONFIG_HEVC *h265, uint32_t keyframe_interval_frames)
{
    h265->idrPeriod = keyframe_interval_frames;
    h265->chromaFormatIDC = CHROMA_420;
    h265->sliceMode = COUNT_OF_SLICES;
    h265->sliceModeData = ONE_SLICE;
}

void preset_configure(const struct codec *codec, NV_ENC_TUNING_INFO tuning, NV_ENC_CONFIG *config)
{
    uint32_t version = config->version;
    uint32_t rate_control_version = config->rcParams.version;
    bool is_low_latency = tuning == NV_ENC_TUNING_INFO_LOW_LATENCY || tuning == NV_ENC_TUNING_INFO_ULTRA_LOW_LATENCY;
    memset(config, 0, sizeof *config);
    config->version = version;
    config->profileGUID = *codec->profiles[codec->profile_count - 1];
    config->gopLength = is_low_latency ? NVENC_INFINITE_GOPLENGTH : USUAL_KEYFRAME_INTERVAL_FRAMES;
    config->frameIntervalP = 1;
    config->frameFieldMode = NV_ENC_PARAMS_FRAME_FIELD_MODE_FRAME;
    config->mvPrecision = NV_ENC_MV_PRECISION_QUARTER_PEL;
    config->rcParams.version = rate_control_version;
    config->rcParams.rateControlMode = is_low_latency ? NV_ENC_PARAMS_RC_CBR : NV_ENC_PARAMS_RC_VBR;
    config->rcParams.averageBitRate = USUAL_BPS;
    if (codec->engine == &engine_h264)
        configure_h264(&config->encodeCodecConfig.h264Config, config->gopLength);
    else
        configure_h265(&config->encodeCodecConfig.hevcConfig, config->gopLength);
}
