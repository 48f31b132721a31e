/* Copies between host and device memory. All are done when the call returns, asynchronous ones too.
 *
 * The mode COPIES names a file that gets a line for each: from where to where, how much, and which library asked. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "common/call_log.h"
#include "common/export.h"
#include "common/modes.h"
#include "cuda/context.h"
#include "cuda/memory.h"

/* The code that called the function which stands around this. */
#define CALLER __builtin_return_address(0)

static void *at(CUdeviceptr pointer)
{
    return (void *)(uintptr_t)pointer;
}

static CUresult logged(CUresult state, const char *direction, size_t length_bytes, void *caller)
{
    Dl_info info;
    const char *path = dladdr(caller, &info) && info.dli_fname ? info.dli_fname : "";
    const char *slash = strrchr(path, '/');
    struct call call;
    call_begin(&call, "copy");
    call_text(&call, "direction", direction);
    call_number(&call, "bytes", (int64_t)length_bytes);
    call_text(&call, "by", slash ? slash + 1 : path);
    call_end_in(&call, mode_text("COPIES"), (int)state);
    return state;
}

static CUresult copy_to_device(CUdeviceptr to, const void *from, size_t length_bytes, void *caller)
{
    CUresult state = context_check();
    if (state == CUDA_SUCCESS && !memory_has(to, length_bytes))
        state = INVALID_VALUE;
    if (state == CUDA_SUCCESS)
        memcpy(at(to), from, length_bytes);
    return logged(state, "host_to_device", length_bytes, caller);
}

static CUresult copy_to_host(void *to, CUdeviceptr from, size_t length_bytes, void *caller)
{
    CUresult state = context_check();
    if (state == CUDA_SUCCESS && !memory_has(from, length_bytes))
        state = INVALID_VALUE;
    if (state == CUDA_SUCCESS)
        memcpy(to, at(from), length_bytes);
    return logged(state, "device_to_host", length_bytes, caller);
}

static CUresult copy_within(CUdeviceptr to, CUdeviceptr from, size_t length_bytes, void *caller)
{
    CUresult state = context_check();
    if (state == CUDA_SUCCESS && !(memory_has(to, length_bytes) && memory_has(from, length_bytes)))
        state = INVALID_VALUE;
    if (state == CUDA_SUCCESS)
        memmove(at(to), at(from), length_bytes);
    return logged(state, "device_to_device", length_bytes, caller);
}

EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t length_bytes)
{
    return copy_to_device(to, from, length_bytes, CALLER);
}

EXPORT CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t length_bytes)
{
    return copy_to_host(to, from, length_bytes, CALLER);
}

EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t length_bytes)
{
    return copy_within(to, from, length_bytes, CALLER);
}

EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t length_bytes, CUstream stream)
{
    return copy_to_device(to, from, length_bytes, CALLER);
}

EXPORT CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t length_bytes, CUstream stream)
{
    return copy_to_host(to, from, length_bytes, CALLER);
}

EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t length_bytes, CUstream stream)
{
    return copy_within(to, from, length_bytes, CALLER);
}

EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t length_bytes)
{
    return copy_within(to, from, length_bytes, CALLER);
}

EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t length_bytes, CUstream stream)
{
    return copy_within(to, from, length_bytes, CALLER);
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

static CUresult copy_rows(const CUDA_MEMCPY2D *copy)
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

static CUresult copy_rows_logged(const CUDA_MEMCPY2D *copy, void *caller)
{
    bool is_from_host = copy->srcMemoryType == CU_MEMORYTYPE_HOST, is_to_host = copy->dstMemoryType == CU_MEMORYTYPE_HOST;
    const char *direction = is_to_host ? (is_from_host ? "host_to_host" : "device_to_host")
                                       : (is_from_host ? "host_to_device" : "device_to_device");
    return logged(copy_rows(copy), direction, copy->WidthInBytes * copy->Height, caller);
}

EXPORT CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D *copy)
{
    return copy_rows_logged(copy, CALLER);
}

EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D *copy, CUstream stream)
{
    return copy_rows_logged(copy, CALLER);
}
