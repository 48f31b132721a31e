/* Entry points by name, as NVIDIA's own bindings ask for them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

#include "common/export.h"
#include "cuda/results.h"

#define NOT_FOUND ((CUresult)500)
#define LONGEST_NAME 128
/* Of CUdriverProcAddressQueryResult. */
enum found { FOUND = 0, SYMBOL_NOT_FOUND = 1 };

/* A call's newest form that is here: later versions of the API have longer suffixes. */
static const char *const suffixes[] = { "_v2", "" };

/* A library finds itself by an address in it: the process may have loaded it under any name. */
static void *own_library(void)
{
    Dl_info info;
    return dladdr((void *)(uintptr_t)&own_library, &info) ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
}

EXPORT CUresult cuGetProcAddress_v2(const char *name, void **address, int version, uint64_t flags, enum found *found)
{
    void *library = own_library();
    *address = NULL;
    for (size_t i = 0; library && !*address && i < sizeof suffixes / sizeof *suffixes; i++) {
        char whole[LONGEST_NAME];
        snprintf(whole, sizeof whole, "%s%s", name, suffixes[i]);
        *address = dlsym(library, whole);
    }
    if (library)
        dlclose(library);
    if (found)
        *found = *address ? FOUND : SYMBOL_NOT_FOUND;
    return *address ? CUDA_SUCCESS : NOT_FOUND;
}
