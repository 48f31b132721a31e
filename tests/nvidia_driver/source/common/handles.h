/* A set of live handles, so that an unknown one is an error code and never a wild read.
 *
 * The real driver crashes or corrupts memory on some of these; an error code tells a test which call was wrong. */
#ifndef HANDLES_H
#define HANDLES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct handles {
    pthread_mutex_t lock;
    void **items;
    size_t count;
    size_t capacity;
};

#define NO_HANDLES { .lock = PTHREAD_MUTEX_INITIALIZER }

bool handles_add(struct handles *handles, void *item);
bool handles_has(struct handles *handles, const void *item);

/* Return whether it was there. */
bool handles_remove(struct handles *handles, const void *item);

#endif
