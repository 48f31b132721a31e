#include "cuda/memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/export.h"
#include "cuda/context.h"
#include "cuda/device.h"

/* As real GPUs align allocations and rows: a caller that takes the pitch for the width is found out. */
#define ALIGNMENT_BYTES 512

enum pointer_attribute { CONTEXT = 1, MEMORY_TYPE = 2, DEVICE_POINTER = 3, DEVICE_ORDINAL = 9 };

struct allocation {
    CUdeviceptr start;
    size_t length_bytes;
    CUcontext context;
    bool is_lent;
    struct allocation *next;
};

static struct allocation *allocations;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The lock is held. */
static const struct allocation *allocation_around(CUdeviceptr start, size_t length_bytes)
{
    for (const struct allocation *each = allocations; each; each = each->next)
        if (start >= each->start && length_bytes <= each->length_bytes
            && start - each->start <= each->length_bytes - length_bytes)
            return each;
    return NULL;
}

bool memory_has(CUdeviceptr start, size_t length_bytes)
{
    pthread_mutex_lock(&lock);
    bool is_there = allocation_around(start, length_bytes) != NULL;
    pthread_mutex_unlock(&lock);
    return is_there;
}

static bool allocation_add(CUdeviceptr start, size_t length_bytes, bool is_lent)
{
    struct allocation *made = malloc(sizeof *made);
    if (!made)
        return false;
    pthread_mutex_lock(&lock);
    *made = (struct allocation){ start, length_bytes, context_current(), is_lent, allocations };
    allocations = made;
    pthread_mutex_unlock(&lock);
    return true;
}

/* Return whether it was there. */
static bool allocation_remove(CUdeviceptr start, bool is_lent)
{
    struct allocation *found = NULL;
    pthread_mutex_lock(&lock);
    for (struct allocation **link = &allocations; *link; link = &(*link)->next)
        if ((*link)->start == start && (*link)->is_lent == is_lent) {
            found = *link;
            *link = found->next;
            break;
        }
    pthread_mutex_unlock(&lock);
    free(found);
    return found != NULL;
}

bool memory_lend(CUdeviceptr start, size_t length_bytes)
{
    return allocation_add(start, length_bytes, true);
}

void memory_take_back(CUdeviceptr start)
{
    allocation_remove(start, true);
}

EXPORT CUresult cuMemAlloc_v2(CUdeviceptr *start, size_t length_bytes)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    if (!length_bytes)
        return INVALID_VALUE;
    void *memory = NULL;
    if (posix_memalign(&memory, ALIGNMENT_BYTES, length_bytes))
        return OUT_OF_MEMORY;
    *start = (CUdeviceptr)(uintptr_t)memory;
    if (allocation_add(*start, length_bytes, false))
        return CUDA_SUCCESS;
    free(memory);
    return OUT_OF_MEMORY;
}

EXPORT CUresult cuMemAllocPitch_v2(CUdeviceptr *start, size_t *pitch_bytes, size_t width_bytes, size_t rows,
                                   unsigned element_bytes)
{
    (void)element_bytes;
    *pitch_bytes = (width_bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
    return cuMemAlloc_v2(start, *pitch_bytes * rows);
}

EXPORT CUresult cuMemAllocManaged(CUdeviceptr *start, size_t length_bytes, unsigned flags)
{
    return cuMemAlloc_v2(start, length_bytes);
}

EXPORT CUresult cuMemAllocAsync(CUdeviceptr *start, size_t length_bytes, CUstream stream)
{
    return cuMemAlloc_v2(start, length_bytes);
}

EXPORT CUresult cuMemFree_v2(CUdeviceptr start)
{
    if (!allocation_remove(start, false))
        return INVALID_VALUE;
    free((void *)(uintptr_t)start);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuMemFreeAsync(CUdeviceptr start, CUstream stream)
{
    return cuMemFree_v2(start);
}

EXPORT CUresult cuPointerGetAttribute(void *answer, int attribute, CUdeviceptr pointer)
{
    pthread_mutex_lock(&lock);
    const struct allocation *found = allocation_around(pointer, 1);
    CUcontext context = found ? found->context : NULL;
    pthread_mutex_unlock(&lock);
    if (!context)
        return INVALID_VALUE;
    switch (attribute) {
    case CONTEXT:
        *(CUcontext *)answer = context;
        return CUDA_SUCCESS;
    case MEMORY_TYPE:
        *(unsigned *)answer = CU_MEMORYTYPE_DEVICE;
        return CUDA_SUCCESS;
    case DEVICE_POINTER:
        *(CUdeviceptr *)answer = pointer;
        return CUDA_SUCCESS;
    case DEVICE_ORDINAL:
        *(int *)answer = context_device(context);
        return CUDA_SUCCESS;
    default:
        return NOT_SUPPORTED;
    }
}

/* What is no memory of ours has no attribute, which is no error here. */
EXPORT CUresult cuPointerGetAttributes(unsigned count, const int *attributes, void **answers, CUdeviceptr pointer)
{
    for (unsigned i = 0; i < count; i++) {
        bool is_device = memory_has(pointer, 1);
        if (!is_device || cuPointerGetAttribute(answers[i], attributes[i], pointer) != CUDA_SUCCESS)
            *(int *)answers[i] = 0;
    }
    return device_state();
}

/* Host memory that the device can reach. It is not among the allocations: device calls refuse its address. */
EXPORT CUresult cuMemAllocHost_v2(void **start, size_t length_bytes)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    return length_bytes && !posix_memalign(start, ALIGNMENT_BYTES, length_bytes) ? CUDA_SUCCESS : OUT_OF_MEMORY;
}

EXPORT CUresult cuMemFreeHost(void *start)
{
    free(start);
    return context_check();
}
