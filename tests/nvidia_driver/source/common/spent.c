/* How long each thread has been in the driver. What a program takes beside that is its own.
 *
 * The compiler calls the two hooks at the begin and the end of every function of both libraries
 * (-finstrument-functions). Functions call each other, those of the encode library also those of the CUDA library: only
 * the outermost counts. Both libraries therefore count in the CUDA library. Where that is a real one, which has no such
 * counter, the encode library counts its own time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <time.h>

#include "common/export.h"

#define UNCOUNTED __attribute__((no_instrument_function))
#define SPENT_NS nvidia_substitute_spent_ns
#define TEXT_OF(name) #name
#define NAME_OF(name) TEXT_OF(name)

UNCOUNTED EXPORT int64_t SPENT_NS(int step);
UNCOUNTED void __cyg_profile_func_enter(void *function, void *caller);
UNCOUNTED void __cyg_profile_func_exit(void *function, void *caller);

static int64_t (*count)(int step) = SPENT_NS;

/* On the clock of CLOCK_MONOTONIC. */
UNCOUNTED static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Go one function in (1), one out (-1) or stay (0). Returns how long this thread has been in outermost functions that
 * have ended. */
int64_t SPENT_NS(int step)
{
    static __thread int depth;
    static __thread int64_t entered_ns, spent_ns;
    if (step > 0 && depth == 0)
        entered_ns = now_ns();
    depth += step;
    if (step < 0 && depth == 0)
        spent_ns += now_ns() - entered_ns;
    return spent_ns;
}

void __cyg_profile_func_enter(void *function, void *caller)
{
    count(1);
}

void __cyg_profile_func_exit(void *function, void *caller)
{
    count(-1);
}

/* Programs load the CUDA library first. */
UNCOUNTED __attribute__((constructor)) static void find_counter(void)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    void *found = library ? dlsym(library, NAME_OF(SPENT_NS)) : NULL;
    if (found)
        count = (int64_t (*)(int))(uintptr_t)found;
}
