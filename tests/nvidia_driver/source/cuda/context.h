/* CUDA contexts, and the stack of them that each thread has. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "cuda/results.h"

/* Return the context on top of this thread's stack, or NULL. */
CUcontext context_current(void);

/* Return CUDA_SUCCESS if this thread has a context and the device is there. */
CUresult context_check(void);

CUdevice context_device(CUcontext context);

#endif
