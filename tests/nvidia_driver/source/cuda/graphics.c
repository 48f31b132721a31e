/* OpenGL's buffers as device memory. Where OpenGL is Mesa's on the processor, a mapped buffer is host memory, as ours is.
 *
 * As with the real driver, OpenGL's context must be current in the thread that registers and maps. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

#include "common/export.h"
#include "common/handles.h"
#include "cuda/context.h"
#include "cuda/memory.h"

/* Of OpenGL. The target is one that nothing else is bound to while a program draws or reads. */
#define GL_COPY_WRITE_BUFFER 0x8F37
#define GL_BUFFER_SIZE 0x8764
#define GL_READ_AND_WRITE 3

struct CUgraphicsResource_st {
    unsigned buffer;
    CUdeviceptr mapped;
    int length_bytes;
};

struct opengl {
    void *(*current)(void);
    void (*bind)(unsigned target, unsigned buffer);
    void (*ask)(unsigned target, unsigned what, int *answer);
    void *(*map)(unsigned target, intptr_t offset, intptr_t length, unsigned access);
    unsigned char (*unmap)(unsigned target);
};

static struct handles live_resources = NO_HANDLES;

/* Return whether OpenGL is loaded and has a context in this thread. */
static bool opengl_find(struct opengl *gl)
{
    void *egl = dlopen("libEGL.so.1", RTLD_NOW | RTLD_NOLOAD);
    void *(*find)(const char *) = egl ? dlsym(egl, "eglGetProcAddress") : NULL;
    if (!find)
        return false;
    gl->current = dlsym(egl, "eglGetCurrentContext");
    gl->bind = find("glBindBuffer");
    gl->ask = find("glGetBufferParameteriv");
    gl->map = find("glMapBufferRange");
    gl->unmap = find("glUnmapBuffer");
    dlclose(egl);
    return gl->current() != NULL;
}

static CUresult check(const CUgraphicsResource *resources, unsigned count, struct opengl *gl)
{
    CUresult state = context_check();
    if (state != CUDA_SUCCESS)
        return state;
    for (unsigned i = 0; i < count; i++)
        if (!handles_has(&live_resources, resources[i]))
            return INVALID_HANDLE;
    return opengl_find(gl) ? CUDA_SUCCESS : INVALID_GRAPHICS_CONTEXT;
}

EXPORT CUresult cuGraphicsGLRegisterBuffer(CUgraphicsResource *resource, unsigned buffer, unsigned flags)
{
    struct opengl gl;
    CUresult state = check(NULL, 0, &gl);
    if (state != CUDA_SUCCESS)
        return state;
    CUgraphicsResource made = calloc(1, sizeof *made);
    if (!made || !handles_add(&live_resources, made)) {
        free(made);
        return OUT_OF_MEMORY;
    }
    made->buffer = buffer;
    gl.bind(GL_COPY_WRITE_BUFFER, buffer);
    gl.ask(GL_COPY_WRITE_BUFFER, GL_BUFFER_SIZE, &made->length_bytes);
    gl.bind(GL_COPY_WRITE_BUFFER, 0);
    *resource = made;
    return CUDA_SUCCESS;
}

static CUresult map(CUgraphicsResource resource, const struct opengl *gl)
{
    if (resource->mapped)
        return ALREADY_MAPPED;
    gl->bind(GL_COPY_WRITE_BUFFER, resource->buffer);
    void *start = gl->map(GL_COPY_WRITE_BUFFER, 0, resource->length_bytes, GL_READ_AND_WRITE);
    gl->bind(GL_COPY_WRITE_BUFFER, 0);
    if (!start || !memory_lend((CUdeviceptr)(uintptr_t)start, resource->length_bytes))
        return OUT_OF_MEMORY;
    resource->mapped = (CUdeviceptr)(uintptr_t)start;
    return CUDA_SUCCESS;
}

static CUresult unmap(CUgraphicsResource resource, const struct opengl *gl)
{
    if (!resource->mapped)
        return NOT_MAPPED;
    memory_take_back(resource->mapped);
    resource->mapped = 0;
    gl->bind(GL_COPY_WRITE_BUFFER, resource->buffer);
    gl->unmap(GL_COPY_WRITE_BUFFER);
    gl->bind(GL_COPY_WRITE_BUFFER, 0);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuGraphicsMapResources(unsigned count, CUgraphicsResource *resources, CUstream stream)
{
    struct opengl gl;
    CUresult state = check(resources, count, &gl);
    for (unsigned i = 0; i < count && state == CUDA_SUCCESS; i++)
        state = map(resources[i], &gl);
    return state;
}

EXPORT CUresult cuGraphicsUnmapResources(unsigned count, CUgraphicsResource *resources, CUstream stream)
{
    struct opengl gl;
    CUresult state = check(resources, count, &gl);
    for (unsigned i = 0; i < count && state == CUDA_SUCCESS; i++)
        state = unmap(resources[i], &gl);
    return state;
}

EXPORT CUresult cuGraphicsResourceGetMappedPointer_v2(CUdeviceptr *start, size_t *length_bytes,
                                                      CUgraphicsResource resource)
{
    if (!handles_has(&live_resources, resource))
        return INVALID_HANDLE;
    if (!resource->mapped)
        return NOT_MAPPED;
    *start = resource->mapped;
    *length_bytes = resource->length_bytes;
    return context_check();
}

EXPORT CUresult cuGraphicsUnregisterResource(CUgraphicsResource resource)
{
    struct opengl gl;
    CUresult state = check(&resource, 1, &gl);
    if (state != CUDA_SUCCESS)
        return state;
    if (resource->mapped)
        return ALREADY_MAPPED;
    handles_remove(&live_resources, resource);
    free(resource);
    return CUDA_SUCCESS;
}
