/* One picture in, one access unit into the output buffer that comes with it. */
#ifndef FRAMES_H
#define FRAMES_H

#include "encode/session.h"

NVENCSTATUS frame_encode(struct session *session, const NV_ENC_PIC_PARAMS *params);

/* The end of the stream, which NVENC takes at any time, and encodes on afterwards. */
NVENCSTATUS frame_end_of_stream(struct session *session);

NVENCSTATUS frame_parameter_sets(struct session *session, NV_ENC_SEQUENCE_PARAM_PAYLOAD *params);

#endif
