#include "encode/queries.h"

#include "encode/pictures.h"
#include "encode/presets.h"

NVENCSTATUS query_codec_count(uint32_t *count)
{
    *count = 0;
    while (codec_at(*count))
        ++*count;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS query_codecs(GUID *guids, uint32_t room, uint32_t *count)
{
    for (*count = 0; *count < room && codec_at(*count); ++*count)
        guids[*count] = *codec_at(*count)->guid;
    return NV_ENC_SUCCESS;
}

/* Questions about a codec that this GPU does not have are errors. */
static NVENCSTATUS need_codec(struct session *session, const struct codec *codec)
{
    return codec ? NV_ENC_SUCCESS : session_refuse(session, NV_ENC_ERR_INVALID_PARAM, "codec");
}

NVENCSTATUS query_profiles(struct session *session, const GUID *guid, GUID *profiles, uint32_t room, uint32_t *count)
{
    const struct codec *codec = codec_find(guid);
    *count = 0;
    for (int i = 0; codec && i < codec->profile_count && *count < room; i++)
        profiles[(*count)++] = *codec->profiles[i];
    return need_codec(session, codec);
}

NVENCSTATUS query_profile_count(struct session *session, const GUID *guid, uint32_t *count)
{
    const struct codec *codec = codec_find(guid);
    *count = codec ? (uint32_t)codec->profile_count : 0;
    return need_codec(session, codec);
}

NVENCSTATUS query_formats(struct session *session, const GUID *guid, NV_ENC_BUFFER_FORMAT *formats, uint32_t room,
                          uint32_t *count)
{
    for (*count = 0; *count < room && *count < BUFFER_FORMATS; ++*count)
        formats[*count] = buffer_format_at((int)*count);
    return need_codec(session, codec_find(guid));
}

NVENCSTATUS query_presets(struct session *session, const GUID *guid, GUID *presets, uint32_t room, uint32_t *count)
{
    for (*count = 0; *count < room && *count < PRESETS; ++*count)
        presets[*count] = *preset_at((int)*count);
    return need_codec(session, codec_find(guid));
}

NVENCSTATUS query_count(struct session *session, const GUID *guid, uint32_t value, uint32_t *count)
{
    *count = value;
    return need_codec(session, codec_find(guid));
}

NVENCSTATUS query_capability(struct session *session, const GUID *guid, const NV_ENC_CAPS_PARAM *wanted, int *value)
{
    const struct codec *codec = codec_find(guid);
    *value = codec ? codec_capability(codec, wanted->capsToQuery) : 0;
    call_number(&session->call, "capability", wanted->capsToQuery);
    return need_codec(session, codec);
}

NVENCSTATUS query_preset_config(struct session *session, const GUID *guid, const GUID *preset,
                                NV_ENC_TUNING_INFO tuning, NV_ENC_PRESET_CONFIG *answer)
{
    const struct codec *codec = codec_find(guid);
    if (!codec || !preset_number(preset) || !tuning_is_known(tuning))
        return session_refuse(session, NV_ENC_ERR_UNSUPPORTED_PARAM, "codec, preset or tuning");
    preset_configure(codec, tuning, &answer->presetCfg);
    return NV_ENC_SUCCESS;
}
