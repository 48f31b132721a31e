#include "common/handles.h"

#include <stdlib.h>

#define FIRST_CAPACITY 16

static bool grow(struct handles *handles)
{
    size_t capacity = handles->capacity ? handles->capacity * 2 : FIRST_CAPACITY;
    void **items = realloc(handles->items, capacity * sizeof *items);
    if (!items)
        return false;
    handles->items = items;
    handles->capacity = capacity;
    return true;
}

/* Return the place of the item, or the count when it is not there. */
static size_t place_of(const struct handles *handles, const void *item)
{
    size_t place = 0;
    while (place < handles->count && handles->items[place] != item)
        place++;
    return place;
}

bool handles_add(struct handles *handles, void *item)
{
    pthread_mutex_lock(&handles->lock);
    bool has_room = handles->count < handles->capacity || grow(handles);
    if (has_room)
        handles->items[handles->count++] = item;
    pthread_mutex_unlock(&handles->lock);
    return has_room;
}

bool handles_has(struct handles *handles, const void *item)
{
    pthread_mutex_lock(&handles->lock);
    bool is_there = place_of(handles, item) < handles->count;
    pthread_mutex_unlock(&handles->lock);
    return is_there;
}

bool handles_remove(struct handles *handles, const void *item)
{
    pthread_mutex_lock(&handles->lock);
    size_t place = place_of(handles, item);
    bool was_there = place < handles->count;
    if (was_there)
        handles->items[place] = handles->items[--handles->count];
    pthread_mutex_unlock(&handles->lock);
    return was_there;
}
