/* Device memory, which is host memory here: a pointer given to the caller can be read as it is. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "cuda/results.h"

/* Return whether all these bytes lie in one living allocation. */
bool memory_has(CUdeviceptr start, size_t length_bytes);

/* Let memory of somebody else's be the device's, too, until it is taken back. It cannot be freed here. */
bool memory_lend(CUdeviceptr start, size_t length_bytes);
void memory_take_back(CUdeviceptr start);

#endif
