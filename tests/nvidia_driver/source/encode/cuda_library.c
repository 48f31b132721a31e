#include "encode/cuda_library.h"

#include <dlfcn.h>
#include <pthread.h>

static tcuCtxPushCurrent_v2 *push_context;
static tcuCtxPopCurrent_v2 *pop_context;
static tcuMemcpyDtoH_v2 *copy_to_host;
static void (*lose_device)(void);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    if (!library)
        return;
    push_context = (tcuCtxPushCurrent_v2 *)dlsym(library, "cuCtxPushCurrent_v2");
    pop_context = (tcuCtxPopCurrent_v2 *)dlsym(library, "cuCtxPopCurrent_v2");
    copy_to_host = (tcuMemcpyDtoH_v2 *)dlsym(library, "cuMemcpyDtoH_v2");
    lose_device = (void (*)(void))dlsym(library, "nvidia_substitute_lose_device");
}

static bool is_loaded(void)
{
    pthread_once(&once, load);
    return push_context && pop_context && copy_to_host;
}

bool cuda_knows(CUcontext context)
{
    CUcontext popped;
    return is_loaded() && push_context(context) == CUDA_SUCCESS && pop_context(&popped) == CUDA_SUCCESS;
}

bool cuda_copy_to_host(CUcontext context, void *to, CUdeviceptr from, size_t length_bytes)
{
    CUcontext popped;
    if (!is_loaded() || push_context(context) != CUDA_SUCCESS)
        return false;
    bool is_copied = copy_to_host(to, from, length_bytes) == CUDA_SUCCESS;
    pop_context(&popped);
    return is_copied;
}

void cuda_lose_device(void)
{
    pthread_once(&once, load);
    if (lose_device)
        lose_device();
}
