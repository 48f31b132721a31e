/* How a session is set up, and what of it may change while it encodes. */
#ifndef CONFIGURATION_H
#define CONFIGURATION_H

#include "encode/session.h"

NVENCSTATUS configuration_initialize(struct session *session, const NV_ENC_INITIALIZE_PARAMS *params);

NVENCSTATUS configuration_change(struct session *session, const NV_ENC_RECONFIGURE_PARAMS *params);

#endif
