#include "common/call_log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/modes.h"

__attribute__((format(printf, 2, 3)))
static void append(struct call *call, const char *format, ...)
{
    size_t room_bytes = sizeof call->text - call->length_bytes;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(call->text + call->length_bytes, room_bytes, format, arguments);
    va_end(arguments);
    /* A field that does not fit is left out whole: the line stays JSON. */
    if (written > 0 && (size_t)written < room_bytes)
        call->length_bytes += (size_t)written;
}

void call_begin(struct call *call, const char *name)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    call->name = name;
    call->length_bytes = 0;
    append(call, "{\"call\":\"%s\",\"at_us\":%" PRId64 ",\"process\":%d", name,
           (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, (int)getpid());
}

void call_number(struct call *call, const char *key, int64_t value)
{
    append(call, ",\"%s\":%" PRId64, key, value);
}

void call_text(struct call *call, const char *key, const char *value)
{
    append(call, ",\"%s\":\"%s\"", key, value);
}

void call_end(struct call *call, int status)
{
    call_end_in(call, mode_text("LOG"), status);
}

void call_end_in(struct call *call, const char *path, int status)
{
    if (!path)
        return;
    append(call, ",\"status\":%d}\n", status);
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return;
    /* One write to a file opened for appending: lines of threads and processes do not mix. */
    if (write(file, call->text, call->length_bytes) < 0)
        perror(path);
    close(file);
}
