#include "common/modes.h"

#include <stdio.h>
#include <stdlib.h>

#define LONGEST_NAME 96

const char *mode_text(const char *name)
{
    char variable[LONGEST_NAME];
    snprintf(variable, sizeof variable, "NVIDIA_SUBSTITUTE_%s", name);
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

long mode_number(const char *name, long otherwise)
{
    const char *value = mode_text(name);
    return value ? strtol(value, NULL, 10) : otherwise;
}

bool mode_is_on(const char *name)
{
    return mode_number(name, 0) == 1;
}
