#include "encode/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/handles.h"
#include "common/modes.h"
#include "encode/api_version.h"
#include "encode/bitstreams.h"
#include "encode/cuda_library.h"
#include "encode/pictures.h"
#include "encode/surfaces.h"

/* What consumer GPUs have allowed since January 2024. */
#define USUAL_SESSIONS 8

static struct handles live_sessions = NO_HANDLES;
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned open_sessions;
static unsigned opened_sessions;

/* Take one of the sessions that the GPU has; return its number, or 0 when all are taken. */
static unsigned take_session(void)
{
    unsigned number = 0;
    pthread_mutex_lock(&count_lock);
    if (open_sessions < (unsigned)mode_number("SESSIONS", USUAL_SESSIONS)) {
        open_sessions++;
        number = ++opened_sessions;
    }
    pthread_mutex_unlock(&count_lock);
    return number;
}

static void give_session_back(void)
{
    pthread_mutex_lock(&count_lock);
    open_sessions--;
    pthread_mutex_unlock(&count_lock);
}

static NVENCSTATUS check_open(const NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *params)
{
    if (mode_is_on("NO_ENGINE"))
        return NV_ENC_ERR_UNSUPPORTED_DEVICE;
    if (params->deviceType != NV_ENC_DEVICE_TYPE_CUDA || !cuda_knows(params->device))
        return NV_ENC_ERR_INVALID_DEVICE;
    return api_version_is_spoken(params->apiVersion) ? NV_ENC_SUCCESS : NV_ENC_ERR_INVALID_VERSION;
}

NVENCSTATUS session_open(const NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *params, struct session **opened,
                         struct call *call)
{
    NVENCSTATUS status = check_open(params);
    if (status != NV_ENC_SUCCESS)
        return status;
    unsigned number = take_session();
    if (!number) {
        call_text(call, "why", "session limit");
        return (NVENCSTATUS)mode_number("SESSION_ERROR", NV_ENC_ERR_OUT_OF_MEMORY);
    }
    struct session *session = calloc(1, sizeof *session);
    if (!session || !handles_add(&live_sessions, session)) {
        free(session);
        give_session_back();
        return NV_ENC_ERR_OUT_OF_MEMORY;
    }
    pthread_mutex_init(&session->lock, NULL);
    session->number = number;
    session->context = params->device;
    call_number(call, "session", number);
    *opened = session;
    return NV_ENC_SUCCESS;
}

struct session *session_enter(void *handle)
{
    if (!handles_has(&live_sessions, handle))
        return NULL;
    struct session *session = handle;
    pthread_mutex_lock(&session->lock);
    return session;
}

void session_leave(struct session *session)
{
    pthread_mutex_unlock(&session->lock);
}

void session_close(struct session *session)
{
    handles_remove(&live_sessions, session);
    session_close_engine(session);
    bitstreams_free(session);
    surfaces_free(session);
    picture_free(&session->picture);
    bytes_free(&session->device_copy);
    pthread_mutex_unlock(&session->lock);
    pthread_mutex_destroy(&session->lock);
    free(session);
    give_session_back();
}

NVENCSTATUS session_refuse(struct session *session, NVENCSTATUS status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(session->why, sizeof session->why, format, arguments);
    va_end(arguments);
    call_text(&session->call, "why", session->why);
    return status;
}

struct rate session_rate(const struct session *session)
{
    return rate_control_plan(&session->config.rcParams, session->engine_frame_rate, session->frame_rate);
}

NVENCSTATUS session_need_engine(struct session *session)
{
    if (session->engine)
        return NV_ENC_SUCCESS;
    session->engine_frame_rate = session->frame_rate;
    const struct engine_settings settings = {
        .width_px = session->width_px,
        .height_px = session->height_px,
        .preset = session->preset,
        .frame_rate = session->frame_rate,
        .keyframe_interval_frames = session->config.gopLength,
        .config = &session->config,
    };
    struct rate rate = session_rate(session);
    session->engine = session->codec->engine->open(&settings, &rate);
    if (!session->engine)
        return session_refuse(session, NV_ENC_ERR_GENERIC, "the library behind the engine refuses these settings");
    return NV_ENC_SUCCESS;
}

void session_close_engine(struct session *session)
{
    if (session->engine)
        session->codec->engine->close(session->engine);
    session->engine = NULL;
}
