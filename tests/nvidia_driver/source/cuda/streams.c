/* Streams and events. Work is done when it is asked for, so there is never anything to wait for. */
#include <stdint.h>
#include <stdlib.h>

#include "common/export.h"
#include "common/handles.h"
#include "cuda/context.h"

struct CUstream_st {
    CUcontext context;
};

struct CUevent_st {
    CUcontext context;
};

static struct handles live_streams = NO_HANDLES;
static struct handles live_events = NO_HANDLES;

static CUresult stream_check(CUstream stream)
{
    /* 0 is the default stream, 1 and 2 are the legacy and the per-thread one. */
    bool is_known = (uintptr_t)stream <= 2 || handles_has(&live_streams, stream);
    return is_known ? context_check() : INVALID_HANDLE;
}

static CUresult event_check(CUevent event)
{
    return handles_has(&live_events, event) ? context_check() : INVALID_HANDLE;
}

EXPORT CUresult cuStreamCreate(CUstream *stream, unsigned flags)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    CUstream made = calloc(1, sizeof *made);
    if (!made || !handles_add(&live_streams, made)) {
        free(made);
        return OUT_OF_MEMORY;
    }
    made->context = context_current();
    *stream = made;
    return CUDA_SUCCESS;
}

/* All streams are equal. */
EXPORT CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest)
{
    *least = *greatest = 0;
    return context_check();
}

EXPORT CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority)
{
    return cuStreamCreate(stream, flags);
}

EXPORT CUresult cuStreamDestroy_v2(CUstream stream)
{
    if (!handles_remove(&live_streams, stream))
        return INVALID_HANDLE;
    free(stream);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuStreamSynchronize(CUstream stream)
{
    return stream_check(stream);
}

EXPORT CUresult cuStreamQuery(CUstream stream)
{
    return stream_check(stream);
}

EXPORT CUresult cuStreamGetCtx(CUstream stream, CUcontext *context)
{
    CUresult state = stream_check(stream);
    if (state == CUDA_SUCCESS)
        *context = (uintptr_t)stream <= 2 ? context_current() : stream->context;
    return state;
}

EXPORT CUresult cuStreamAddCallback(CUstream stream, CUstreamCallback *callback, void *argument, unsigned flags)
{
    CUresult state = stream_check(stream);
    if (state == CUDA_SUCCESS)
        callback(stream, CUDA_SUCCESS, argument);
    return state;
}

EXPORT CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags)
{
    CUresult state = stream_check(stream);
    return state == CUDA_SUCCESS ? event_check(event) : state;
}

EXPORT CUresult cuEventCreate(CUevent *event, unsigned flags)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    CUevent made = calloc(1, sizeof *made);
    if (!made || !handles_add(&live_events, made)) {
        free(made);
        return OUT_OF_MEMORY;
    }
    made->context = context_current();
    *event = made;
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventDestroy_v2(CUevent event)
{
    if (!handles_remove(&live_events, event))
        return INVALID_HANDLE;
    free(event);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuEventRecord(CUevent event, CUstream stream)
{
    CUresult state = stream_check(stream);
    return state == CUDA_SUCCESS ? event_check(event) : state;
}

EXPORT CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags)
{
    return cuEventRecord(event, stream);
}

EXPORT CUresult cuEventSynchronize(CUevent event)
{
    return event_check(event);
}

EXPORT CUresult cuEventQuery(CUevent event)
{
    return event_check(event);
}
