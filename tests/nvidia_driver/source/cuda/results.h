/* Results of the CUDA driver API that FFmpeg's header, which is all we build against, does not name. */
#ifndef RESULTS_H
#define RESULTS_H

#include <ffnvcodec/dynlink_cuda.h>

#define INVALID_VALUE ((CUresult)1)
#define OUT_OF_MEMORY ((CUresult)2)
#define NOT_INITIALIZED ((CUresult)3)
#define NO_DEVICE ((CUresult)100)
#define INVALID_DEVICE ((CUresult)101)
#define INVALID_CONTEXT ((CUresult)201)
#define ALREADY_MAPPED ((CUresult)208)
#define NOT_MAPPED ((CUresult)211)
#define INVALID_GRAPHICS_CONTEXT ((CUresult)219)
#define INVALID_HANDLE ((CUresult)400)
#define NOT_SUPPORTED ((CUresult)801)

#endif
