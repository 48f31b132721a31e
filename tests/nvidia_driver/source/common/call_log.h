/* One line of JSON for every call of the encode library, and for every copy elsewhere, so that a test can say what was asked for.
 *
 * A call is filled while it runs and written when it ends. Names and texts are the library's own: nothing that a
 * caller sends is quoted, so nothing needs escaping. */
#ifndef CALL_LOG_H
#define CALL_LOG_H

#include <stddef.h>
#include <stdint.h>

/* The longest line, that of an initialization with all rate control fields, has about half of this. */
#define LONGEST_LINE_BYTES 4096

struct call {
    const char *name;
    size_t length_bytes;
    char text[LONGEST_LINE_BYTES];
};

void call_begin(struct call *call, const char *name);
void call_number(struct call *call, const char *key, int64_t value);
void call_text(struct call *call, const char *key, const char *value);

/* Append the line to the file that the mode LOG names, if it names one. */
void call_end(struct call *call, int status);

/* The same to another file, if `path` is one. */
void call_end_in(struct call *call, const char *path, int status);

#endif
