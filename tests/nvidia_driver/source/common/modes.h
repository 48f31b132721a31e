/* What the environment asks of the substitute: variables that all begin with NVIDIA_SUBSTITUTE_.
 *
 * Read at every use, so that a process may change its mind between two calls. */
#ifndef MODES_H
#define MODES_H

#include <stdbool.h>

/* Return the value of NVIDIA_SUBSTITUTE_<name>, or NULL when it is not set or empty. */
const char *mode_text(const char *name);

/* Return the value as a number, or `otherwise` when it is not set. */
long mode_number(const char *name, long otherwise);

/* Return whether the mode is set to 1. */
bool mode_is_on(const char *name);

#endif
