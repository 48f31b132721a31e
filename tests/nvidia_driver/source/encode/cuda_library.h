/* What the encode library asks of the CUDA library that its process has loaded.
 *
 * That may be ours, or a real one: on a GPU without an encoder the substitute encoder then reads real device memory. */
#ifndef CUDA_LIBRARY_H
#define CUDA_LIBRARY_H

#include <ffnvcodec/dynlink_cuda.h>
#include <stdbool.h>
#include <stddef.h>

/* Return whether it is a living context. */
bool cuda_knows(CUcontext context);

bool cuda_copy_to_host(CUcontext context, void *to, CUdeviceptr from, size_t length_bytes);

/* Let every later call of the CUDA library fail, if it is ours. */
void cuda_lose_device(void);

#endif
