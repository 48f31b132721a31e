/* The GPUs that the substitute pretends to have. */
#ifndef DEVICE_H
#define DEVICE_H

#include "cuda/results.h"

/* Return CUDA_SUCCESS once cuInit has succeeded and while the device is not lost. */
CUresult device_state(void);

/* Return CUDA_SUCCESS if there is such a device and `device_state` has nothing to say. */
CUresult device_check(CUdevice device);

#endif
