/* The presets P1 to P7, and the configuration that each begins with. */
#ifndef PRESETS_H
#define PRESETS_H

#include <ffnvcodec/nvEncodeAPI.h>
#include <stdbool.h>

#include "encode/codec.h"

#define PRESETS 7

const GUID *preset_at(int place);

/* Return 1 to 7, or 0 for a GUID that is none. */
int preset_number(const GUID *guid);

bool tuning_is_known(NV_ENC_TUNING_INFO tuning);

void preset_configure(const struct codec *codec, NV_ENC_TUNING_INFO tuning, NV_ENC_CONFIG *config);

#endif
