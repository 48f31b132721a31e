#include "cuda/context.h"

#include <stdlib.h>

#include "common/export.h"
#include "common/handles.h"
#include "cuda/device.h"

/* More than any caller nests; a stack that only grows is a caller's leak, and shows. */
#define DEEPEST 64
#define MOST_DEVICES 16

struct CUctx_st {
    CUdevice device;
    /* Only the primary context of a device is counted: others live from create to destroy. */
    unsigned holders;
};

static struct handles live_contexts = NO_HANDLES;
static struct CUctx_st primary_contexts[MOST_DEVICES];
static pthread_mutex_t primary_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread CUcontext stack[DEEPEST];
static __thread int depth;

CUcontext context_current(void)
{
    return depth ? stack[depth - 1] : NULL;
}

CUresult context_check(void)
{
    CUresult state = device_state();
    if (state != CUDA_SUCCESS)
        return state;
    return context_current() ? CUDA_SUCCESS : INVALID_CONTEXT;
}

CUdevice context_device(CUcontext context)
{
    return context->device;
}

EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context)
{
    CUresult state = device_state();
    if (state != CUDA_SUCCESS)
        return state;
    if (!handles_has(&live_contexts, context))
        return INVALID_CONTEXT;
    if (depth == DEEPEST)
        return OUT_OF_MEMORY;
    stack[depth++] = context;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxPopCurrent_v2(CUcontext *context)
{
    if (!depth)
        return INVALID_CONTEXT;
    depth--;
    if (context)
        *context = stack[depth];
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device)
{
    CUresult state = device_check(device);
    if (state != CUDA_SUCCESS)
        return state;
    CUcontext made = calloc(1, sizeof *made);
    if (!made || !handles_add(&live_contexts, made)) {
        free(made);
        return OUT_OF_MEMORY;
    }
    made->device = device;
    *context = made;
    return cuCtxPushCurrent_v2(made);
}

EXPORT CUresult cuCtxDestroy_v2(CUcontext context)
{
    if (context >= primary_contexts && context < primary_contexts + MOST_DEVICES)
        return INVALID_CONTEXT;
    if (!handles_remove(&live_contexts, context))
        return INVALID_CONTEXT;
    if (context_current() == context)
        depth--;
    free(context);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuCtxSetCurrent(CUcontext context)
{
    if (context && !handles_has(&live_contexts, context))
        return INVALID_CONTEXT;
    if (depth)
        depth--;
    return context ? cuCtxPushCurrent_v2(context) : CUDA_SUCCESS;
}

EXPORT CUresult cuCtxGetCurrent(CUcontext *context)
{
    *context = context_current();
    return device_state();
}

EXPORT CUresult cuCtxGetDevice(CUdevice *device)
{
    CUresult state = context_check();
    if (state == CUDA_SUCCESS)
        *device = context_current()->device;
    return state;
}

EXPORT CUresult cuCtxSetLimit(CUlimit limit, size_t value)
{
    return context_check();
}

EXPORT CUresult cuCtxSynchronize(void)
{
    return context_check();
}

EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device)
{
    CUresult state = device < MOST_DEVICES ? device_check(device) : INVALID_DEVICE;
    if (state != CUDA_SUCCESS)
        return state;
    pthread_mutex_lock(&primary_lock);
    CUcontext primary = &primary_contexts[device];
    if (primary->holders++ == 0) {
        primary->device = device;
        handles_add(&live_contexts, primary);
    }
    pthread_mutex_unlock(&primary_lock);
    *context = primary;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
    CUresult state = device < MOST_DEVICES ? device_check(device) : INVALID_DEVICE;
    if (state != CUDA_SUCCESS)
        return state;
    pthread_mutex_lock(&primary_lock);
    CUcontext primary = &primary_contexts[device];
    if (primary->holders == 0)
        state = INVALID_CONTEXT;
    else if (--primary->holders == 0)
        handles_remove(&live_contexts, primary);
    pthread_mutex_unlock(&primary_lock);
    return state;
}

EXPORT CUresult cuDevicePrimaryCtxRelease(CUdevice device)
{
    return cuDevicePrimaryCtxRelease_v2(device);
}

EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *is_active)
{
    CUresult state = device < MOST_DEVICES ? device_check(device) : INVALID_DEVICE;
    *flags = 0;
    *is_active = state == CUDA_SUCCESS && primary_contexts[device].holders > 0;
    return state;
}

EXPORT CUresult cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags)
{
    return device_check(device);
}

EXPORT CUresult cuDevicePrimaryCtxReset(CUdevice device)
{
    return device_check(device);
}
