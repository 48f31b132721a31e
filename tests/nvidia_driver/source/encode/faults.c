#include "encode/faults.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/modes.h"
#include "encode/cuda_library.h"

#define MOST_FAULTS 8
#define LONGEST_WORD 48

/* Calls that the ordered faults wait for, in the order of the mode's text. */
static unsigned seen[MOST_FAULTS];
static bool is_lost, is_hung;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static NVENCSTATUS strike(const char *effect)
{
    if (!strcmp(effect, "crash"))
        raise(SIGSEGV);
    is_hung = !strcmp(effect, "hang");
    if (is_hung)
        return STATUS_HANGS;
    is_lost = !strcmp(effect, "engine_lost") || !strcmp(effect, "device_lost");
    if (!strcmp(effect, "device_lost"))
        cuda_lose_device();
    return is_lost ? NV_ENC_ERR_DEVICE_NOT_EXIST : (NVENCSTATUS)atoi(effect);
}

NVENCSTATUS fault_of(const char *call_name)
{
    NVENCSTATUS status = NV_ENC_SUCCESS;
    const char *rest = mode_text("FAULTS");
    pthread_mutex_lock(&lock);
    if (is_hung)
        status = STATUS_HANGS;
    if (is_lost)
        status = NV_ENC_ERR_DEVICE_NOT_EXIST;
    for (int i = 0; rest && i < MOST_FAULTS && status == NV_ENC_SUCCESS; i++) {
        char name[LONGEST_WORD], effect[LONGEST_WORD];
        unsigned nth;
        if (sscanf(rest, "%47[^:]:%u:%47[^,]", name, &nth, effect) != 3) {
            fprintf(stderr, "NVIDIA_SUBSTITUTE_FAULTS: cannot read %s\n", rest);
            abort();
        }
        if (!strcmp(name, call_name) && ++seen[i] == nth)
            status = strike(effect);
        rest = strchr(rest, ',');
        rest = rest ? rest + 1 : NULL;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void fault_hang(NVENCSTATUS status)
{
    while (status == STATUS_HANGS)
        pause();
}
