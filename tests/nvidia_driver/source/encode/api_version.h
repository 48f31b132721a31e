/* Versions of the NVENC API: which ones the substitute speaks, and what differs between them.
 *
 * We build against the header of 11.1. Every field that we touch lies at the same offset in 11.1 to 13.0; only
 * NV_ENC_INITIALIZE_PARAMS became shorter in 12.2. */
#ifndef API_VERSION_H
#define API_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The newest version that we speak, as NvEncodeAPIGetMaxSupportedVersion puts it: major << 4 | minor. */
uint32_t api_version_newest(void);

/* Return the same of a struct's version field, which holds the major in its low and the minor in its high byte. */
uint32_t api_version_of(uint32_t struct_version);

bool api_version_is_spoken(uint32_t struct_version);

/* Return the length of NV_ENC_INITIALIZE_PARAMS in the caller's version. */
size_t api_version_initialize_bytes(uint32_t struct_version);

#endif
