/* The kernels of converters/_kernels.cu for a processor: whoever calls them plays one thread after the other. */
struct place {
    int x, y;
} blockIdx, blockDim = { 1, 1 }, threadIdx;

#define KERNEL void
#define INLINE static inline

#include KERNELS
