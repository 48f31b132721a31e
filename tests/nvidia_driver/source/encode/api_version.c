#include "encode/api_version.h"

#include <stdio.h>

#include "common/modes.h"

#define API(major, minor) ((uint32_t)(major) << 4 | (uint32_t)(minor))
#define INITIALIZE_BYTES 1808
#define INITIALIZE_BYTES_SINCE_12_2 1800

uint32_t api_version_newest(void)
{
    unsigned major = 13, minor = 0;
    const char *wanted = mode_text("API");
    if (wanted)
        sscanf(wanted, "%u.%u", &major, &minor);
    return API(major, minor);
}

uint32_t api_version_of(uint32_t struct_version)
{
    return API(struct_version & 0xff, struct_version >> 24 & 0xf);
}

bool api_version_is_spoken(uint32_t struct_version)
{
    return api_version_of(struct_version) <= api_version_newest();
}

size_t api_version_initialize_bytes(uint32_t struct_version)
{
    return api_version_of(struct_version) >= API(12, 2) ? INITIALIZE_BYTES_SINCE_12_2 : INITIALIZE_BYTES;
}
