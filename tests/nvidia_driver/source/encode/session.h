/* An encode session: what stays between two calls of one encoder.
 *
 * The API's entry points hold the session's lock for the length of a call: whoever has a session in hand may use it. */
#ifndef SESSION_H
#define SESSION_H

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/nvEncodeAPI.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/call_log.h"
#include "encode/codec.h"
#include "encode/engine.h"

struct surface;
struct bitstream;
struct held_unit;

struct session {
    pthread_mutex_t lock;
    /* From 1, in the order in which sessions were opened: the name in the log. */
    unsigned number;
    CUcontext context;
    /* The call that is being answered, and why it or an earlier one was refused. */
    struct call call;
    char why[256];

    bool is_initialized;
    const struct codec *codec;
    NV_ENC_CONFIG config;
    int preset;
    int width_px, height_px;
    int max_width_px, max_height_px;
    struct frame_rate frame_rate;

    /* Opened with the first picture, or when parameter sets are asked for. */
    void *engine;
    struct frame_rate engine_frame_rate;
    uint32_t frames;
    bool is_keyframe_due;
    struct picture picture;
    struct bytes device_copy;

    struct surface *surfaces;
    struct bitstream *bitstreams;
    /* Access units that the mode HELD_PACKETS keeps back, oldest first. */
    struct held_unit *held;
};

NVENCSTATUS session_open(const NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *params, struct session **opened,
                         struct call *call);

/* Return the session, locked, or NULL if there is none with this handle. */
struct session *session_enter(void *handle);
void session_leave(struct session *session);

/* Close a session that was entered. Its handle is unknown from here on. */
void session_close(struct session *session);

/* Remember why, for the log and for nvEncGetLastErrorString, and return the status. */
__attribute__((format(printf, 3, 4)))
NVENCSTATUS session_refuse(struct session *session, NVENCSTATUS status, const char *format, ...);

/* Open the engine if there is none. */
NVENCSTATUS session_need_engine(struct session *session);
void session_close_engine(struct session *session);

/* Return what the session's configuration asks of its engine. */
struct rate session_rate(const struct session *session);

#endif
