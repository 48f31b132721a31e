/* What a caller asks before it sets an encoder up: codecs, profiles, formats, presets, capabilities. */
#ifndef QUERIES_H
#define QUERIES_H

#include "encode/session.h"

NVENCSTATUS query_codec_count(uint32_t *count);
NVENCSTATUS query_codecs(GUID *guids, uint32_t room, uint32_t *count);
NVENCSTATUS query_profiles(struct session *session, const GUID *guid, GUID *profiles, uint32_t room, uint32_t *count);
NVENCSTATUS query_profile_count(struct session *session, const GUID *guid, uint32_t *count);
NVENCSTATUS query_formats(struct session *session, const GUID *guid, NV_ENC_BUFFER_FORMAT *formats, uint32_t room,
                          uint32_t *count);
NVENCSTATUS query_presets(struct session *session, const GUID *guid, GUID *presets, uint32_t room, uint32_t *count);

/* Answer with a count that is the same for each codec. */
NVENCSTATUS query_count(struct session *session, const GUID *guid, uint32_t value, uint32_t *count);

NVENCSTATUS query_capability(struct session *session, const GUID *guid, const NV_ENC_CAPS_PARAM *wanted, int *value);
NVENCSTATUS query_preset_config(struct session *session, const GUID *guid, const GUID *preset,
                                NV_ENC_TUNING_INFO tuning, NV_ENC_PRESET_CONFIG *answer);

#endif
