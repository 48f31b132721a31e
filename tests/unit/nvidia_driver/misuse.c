/* Calls that PyNvVideoCodec never makes: what the driver answers to a caller that gets the order or the handles wrong.
 *
 * Writes a line for each: what was tried, and the status. It closes what it opens, but for two buffers that the end of
 * the session has to free: a leak is the driver's. */
#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/nvEncodeAPI.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH_PX 320
#define HEIGHT_PX 180

extern CUresult cuInit(unsigned flags);
extern CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device);
extern CUresult cuDevicePrimaryCtxRelease(CUdevice device);
extern CUresult cuCtxPushCurrent_v2(CUcontext context);
extern CUresult cuMemAllocPitch_v2(CUdeviceptr *start, size_t *pitch, size_t width, size_t rows, unsigned element);
extern CUresult cuMemFree_v2(CUdeviceptr start);
extern CUresult cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t length);
extern NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *list);

static NV_ENCODE_API_FUNCTION_LIST api = { .version = NV_ENCODE_API_FUNCTION_LIST_VER };
static void *encoder;
static NV_ENC_CONFIG config;

static void report(const char *tried, int status)
{
    printf("%s %d\n", tried, status);
}

static int open_session(void *device, void **handle)
{
    NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS params = {
        .version = NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS_VER,
        .deviceType = NV_ENC_DEVICE_TYPE_CUDA,
        .device = device,
        .apiVersion = NVENCAPI_VERSION,
    };
    return api.nvEncOpenEncodeSessionEx(&params, handle);
}

static NV_ENC_INITIALIZE_PARAMS initialization(void)
{
    config.version = NV_ENC_CONFIG_VER;
    config.gopLength = NVENC_INFINITE_GOPLENGTH;
    config.frameIntervalP = 1;
    config.rcParams.rateControlMode = NV_ENC_PARAMS_RC_CBR;
    config.rcParams.averageBitRate = 1000000;
    return (NV_ENC_INITIALIZE_PARAMS){
        .version = NV_ENC_INITIALIZE_PARAMS_VER,
        .encodeGUID = NV_ENC_CODEC_H264_GUID,
        .presetGUID = NV_ENC_PRESET_P1_GUID,
        .tuningInfo = NV_ENC_TUNING_INFO_ULTRA_LOW_LATENCY,
        .encodeWidth = WIDTH_PX,
        .encodeHeight = HEIGHT_PX,
        .frameRateNum = 60,
        .frameRateDen = 1,
        .enablePTD = 1,
        .encodeConfig = &config,
    };
}

static int encode(NV_ENC_INPUT_PTR input, NV_ENC_OUTPUT_PTR output)
{
    NV_ENC_PIC_PARAMS params = {
        .version = NV_ENC_PIC_PARAMS_VER,
        .inputBuffer = input,
        .outputBitstream = output,
        .inputWidth = WIDTH_PX,
        .inputHeight = HEIGHT_PX,
        .bufferFmt = NV_ENC_BUFFER_FORMAT_NV12,
    };
    return api.nvEncEncodePicture(encoder, &params);
}

static int lock(NV_ENC_OUTPUT_PTR output)
{
    NV_ENC_LOCK_BITSTREAM params = { .version = NV_ENC_LOCK_BITSTREAM_VER, .outputBitstream = output };
    return api.nvEncLockBitstream(encoder, &params);
}

static int map(NV_ENC_REGISTERED_PTR resource)
{
    NV_ENC_MAP_INPUT_RESOURCE params = { .version = NV_ENC_MAP_INPUT_RESOURCE_VER, .registeredResource = resource };
    return api.nvEncMapInputResource(encoder, &params);
}

static void misuse_sessions(CUcontext context)
{
    int nothing = 0;
    void *other;
    report("open-unknown-context", open_session(&nothing, &other));
    report("open", open_session(context, &encoder));
    uint32_t count;
    report("ask-unknown-session", api.nvEncGetEncodeGUIDCount(&nothing, &count));
    NV_ENC_CREATE_BITSTREAM_BUFFER early = { .version = NV_ENC_CREATE_BITSTREAM_BUFFER_VER };
    report("buffer-before-initialize", api.nvEncCreateBitstreamBuffer(encoder, &early));
    report("encode-before-initialize", encode(&nothing, &nothing));
    NV_ENC_INITIALIZE_PARAMS params = initialization();
    report("initialize", api.nvEncInitializeEncoder(encoder, &params));
    report("initialize-twice", api.nvEncInitializeEncoder(encoder, &params));
    report("asynchronous", api.nvEncRegisterAsyncEvent(encoder, NULL));
}

static void misuse_reconfigure(void)
{
    NV_ENC_RECONFIGURE_PARAMS params = { .version = NV_ENC_RECONFIGURE_PARAMS_VER };
    params.reInitEncodeParams = initialization();
    report("reconfigure", api.nvEncReconfigureEncoder(encoder, &params));
    params.reInitEncodeParams.encodeWidth = 2 * WIDTH_PX;
    report("reconfigure-above-largest", api.nvEncReconfigureEncoder(encoder, &params));
    params.reInitEncodeParams = initialization();
    config.gopLength = 30;
    report("reconfigure-gop", api.nvEncReconfigureEncoder(encoder, &params));
    params.reInitEncodeParams = initialization();
    config.rcParams.rateControlMode = NV_ENC_PARAMS_RC_CONSTQP;
    report("reconfigure-rate-control-mode", api.nvEncReconfigureEncoder(encoder, &params));
    params.reInitEncodeParams = initialization();
    params.reInitEncodeParams.encodeGUID = NV_ENC_CODEC_HEVC_GUID;
    report("reconfigure-codec", api.nvEncReconfigureEncoder(encoder, &params));
}

static void misuse_frames(CUdeviceptr memory, size_t pitch)
{
    NV_ENC_REGISTER_RESOURCE resource = {
        .version = NV_ENC_REGISTER_RESOURCE_VER,
        .resourceType = NV_ENC_INPUT_RESOURCE_TYPE_CUDADEVICEPTR,
        .width = WIDTH_PX,
        .height = HEIGHT_PX,
        .pitch = WIDTH_PX - 1,
        .resourceToRegister = (void *)(uintptr_t)memory,
        .bufferFormat = NV_ENC_BUFFER_FORMAT_NV12,
    };
    NV_ENC_CREATE_BITSTREAM_BUFFER buffer = { .version = NV_ENC_CREATE_BITSTREAM_BUFFER_VER };
    int nothing = 0;
    report("register-short-pitch", api.nvEncRegisterResource(encoder, &resource));
    resource.pitch = (uint32_t)pitch;
    report("register", api.nvEncRegisterResource(encoder, &resource));
    report("create-buffer", api.nvEncCreateBitstreamBuffer(encoder, &buffer));
    void *input = resource.registeredResource;
    void *output = buffer.bitstreamBuffer;
    report("encode-unmapped", encode(input, output));
    report("map-unknown", map(&nothing));
    report("map", map(input));
    report("map-twice", map(input));
    report("unregister-mapped", api.nvEncUnregisterResource(encoder, input));
    report("lock-empty", lock(output));
    report("encode-unknown-buffer", encode(input, &nothing));
    report("encode", encode(input, output));
    report("encode-uncollected", encode(input, output));
    report("lock", lock(output));
    report("lock-twice", lock(output));
    report("unlock", api.nvEncUnlockBitstream(encoder, output));
    report("unlock-twice", api.nvEncUnlockBitstream(encoder, output));
    report("unmap", api.nvEncUnmapInputResource(encoder, input));
    report("unmap-twice", api.nvEncUnmapInputResource(encoder, input));
    report("free-memory", cuMemFree_v2(memory));
    map(input);
    report("encode-freed-memory", encode(input, output));
    /* The mapped resource and the buffer are left to the end of the session, which frees them. */
}

static void misuse_memory(CUdeviceptr freed)
{
    char byte;
    report("cuda-copy-freed", cuMemcpyDtoH_v2(&byte, freed, 1));
    report("cuda-free-twice", cuMemFree_v2(freed));
    report("cuda-unknown-context", cuCtxPushCurrent_v2((CUcontext)&byte));
}

int main(void)
{
    CUcontext context;
    CUdeviceptr memory;
    size_t pitch;
    report("cuda-before-init", cuDevicePrimaryCtxRetain(&context, 0));
    cuInit(0);
    cuDevicePrimaryCtxRetain(&context, 0);
    report("cuda-without-context", cuMemAllocPitch_v2(&memory, &pitch, WIDTH_PX, HEIGHT_PX * 3 / 2, 16));
    cuCtxPushCurrent_v2(context);
    cuMemAllocPitch_v2(&memory, &pitch, WIDTH_PX, HEIGHT_PX * 3 / 2, 16);
    memset((void *)(uintptr_t)memory, 0x80, pitch * HEIGHT_PX * 3 / 2);
    report("create-instance", NvEncodeAPICreateInstance(&api));
    misuse_sessions(context);
    misuse_reconfigure();
    misuse_frames(memory, pitch);
    misuse_memory(memory);
    report("destroy", api.nvEncDestroyEncoder(encoder));
    report("destroy-twice", api.nvEncDestroyEncoder(encoder));
    cuDevicePrimaryCtxRelease(0);
    return 0;
}
