/* Copies between host and device memory. All are done when the call returns, asynchronous ones too. */
#include <stdint.h>
#include <string.h>

#include "common/export.h"
#include "cuda/context.h"
#include "cuda/memory.h"

static void *at(CUdeviceptr pointer)
{
    return (void *)(uintptr_t)pointer;
}

EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t length_bytes)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    if (!memory_has(to, length_bytes))
        return INVALID_VALUE;
    memcpy(at(to), from, length_bytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t length_bytes)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    if (!memory_has(from, length_bytes))
        return INVALID_VALUE;
    memcpy(to, at(from), length_bytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t length_bytes)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    if (!memory_has(to, length_bytes) || !memory_has(from, length_bytes))
        return INVALID_VALUE;
    memmove(at(to), at(from), length_bytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t length_bytes, CUstream stream)
{
    return cuMemcpyHtoD_v2(to, from, length_bytes);
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t length_bytes, CUstream stream)
{
    return cuMemcpyDtoH_v2(to, from, length_bytes);
}

EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t length_bytes, CUstream stream)
{
    return cuMemcpyDtoD_v2(to, from, length_bytes);
}

EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t length_bytes)
{
    return cuMemcpyDtoD_v2(to, from, length_bytes);
}

EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t length_bytes, CUstream stream)
{
    return cuMemcpyDtoD_v2(to, from, length_bytes);
}

EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t length_bytes, CUstream stream)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    if (!memory_has(to, length_bytes))
        return INVALID_VALUE;
    memset(at(to), value, length_bytes);
    return CUDA_SUCCESS;
}

/* One side of a copy of rows. */
struct rows {
    char *first;
    size_t pitch_bytes;
};

/* Return whether the rows may be touched. Host memory is not ours to know. */
static bool rows_are_there(const struct rows *rows, CUmemorytype type, size_t width_bytes, size_t count)
{
    if (type == CU_MEMORYTYPE_ARRAY || rows->pitch_bytes < width_bytes)
        return false;
    size_t length_bytes = rows->pitch_bytes * (count - 1) + width_bytes;
    return type != CU_MEMORYTYPE_DEVICE || memory_has((CUdeviceptr)(uintptr_t)rows->first, length_bytes);
}

EXPORT CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *copy)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS || !copy->Height || !copy->WidthInBytes)
        return state;
    struct rows from = { .pitch_bytes = copy->srcPitch ? copy->srcPitch : copy->WidthInBytes };
    struct rows to = { .pitch_bytes = copy->dstPitch ? copy->dstPitch : copy->WidthInBytes };
    from.first = copy->srcMemoryType == CU_MEMORYTYPE_HOST ? (char *)copy->srcHost : at(copy->srcDevice);
    to.first = copy->dstMemoryType == CU_MEMORYTYPE_HOST ? copy->dstHost : at(copy->dstDevice);
    from.first += copy->srcY * from.pitch_bytes + copy->srcXInBytes;
    to.first += copy->dstY * to.pitch_bytes + copy->dstXInBytes;
    if (!rows_are_there(&from, copy->srcMemoryType, copy->WidthInBytes, copy->Height)
        || !rows_are_there(&to, copy->dstMemoryType, copy->WidthInBytes, copy->Height))
        return INVALID_VALUE;
    for (size_t row = 0; row < copy->Height; row++)
        memcpy(to.first + row * to.pitch_bytes, from.first + row * from.pitch_bytes, copy->WidthInBytes);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *copy, CUstream stream)
{
    return cuMemcpy2D_v2(copy);
}
