/* The names of results. */
#include <stddef.h>

#include "common/export.h"
#include "cuda/results.h"

static const struct {
    CUresult result;
    const char *name;
} names[] = {
    { CUDA_SUCCESS, "CUDA_SUCCESS" },
    { INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE" },
    { OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY" },
    { NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED" },
    { NO_DEVICE, "CUDA_ERROR_NO_DEVICE" },
    { INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE" },
    { INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT" },
    { ALREADY_MAPPED, "CUDA_ERROR_ALREADY_MAPPED" },
    { NOT_MAPPED, "CUDA_ERROR_NOT_MAPPED" },
    { INVALID_GRAPHICS_CONTEXT, "CUDA_ERROR_INVALID_GRAPHICS_CONTEXT" },
    { INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE" },
    { NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED" },
};

EXPORT CUresult cuGetErrorName(CUresult result, const char **name)
{
    *name = "CUDA_ERROR_UNKNOWN";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].result == result)
            *name = names[i].name;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGetErrorString(CUresult result, const char **text)
{
    return cuGetErrorName(result, text);
}
