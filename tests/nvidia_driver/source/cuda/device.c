#include "cuda/device.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/export.h"
#include "common/modes.h"

/* CUDA 13.0, the release whose driver speaks NVENC API 13.0. */
#define CUDA_VERSION_13_0 13000
/* Compute capability 8.9: an Ada GPU, which has NVENC for H.264, H.265 and AV1. */
#define CAPABILITY_MAJOR 8
#define CAPABILITY_MINOR 9
#define MEMORY_BYTES ((size_t)8 << 30)
#define UUID_BYTES 16
/* The function that the encode library calls when a fault loses the device. */
#define LOSE_DEVICE nvidia_substitute_lose_device

static atomic_bool is_initialized;
static atomic_bool is_lost;

static int device_count(void)
{
    return (int)mode_number("DEVICES", 1);
}

CUresult device_state(void)
{
    /* What the driver reports of a GPU that has fallen off the bus. */
    if (is_lost)
        return CUDA_ERROR_UNKNOWN;
    return is_initialized ? CUDA_SUCCESS : NOT_INITIALIZED;
}

CUresult device_check(CUdevice device)
{
    CUresult state = device_state();
    if (state != CUDA_SUCCESS)
        return state;
    return device >= 0 && device < device_count() ? CUDA_SUCCESS : INVALID_DEVICE;
}

EXPORT void LOSE_DEVICE(void)
{
    is_lost = true;
}

EXPORT CUresult cuInit(unsigned flags)
{
    if (flags)
        return INVALID_VALUE;
    if (device_count() < 1)
        return NO_DEVICE;
    is_initialized = true;
    return device_state();
}

EXPORT CUresult cuDriverGetVersion(int *version)
{
    *version = (int)mode_number("CUDA_VERSION", CUDA_VERSION_13_0);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetCount(int *count)
{
    *count = device_count();
    return device_state();
}

EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    *device = ordinal;
    return device_check(ordinal);
}

EXPORT CUresult cuDeviceGetName(char *name, int length, CUdevice device)
{
    const char *wanted = mode_text("DEVICE_NAME");
    snprintf(name, (size_t)length, "%s", wanted ? wanted : "Substitute GPU");
    return device_check(device);
}

/* Each device has the wanted UUID with its ordinal added to the last byte. */
EXPORT CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device)
{
    const char *digits = mode_text("DEVICE_UUID");
    memset(uuid->bytes, 0, UUID_BYTES);
    for (int i = 0; digits && i < UUID_BYTES; i++) {
        unsigned byte;
        if (sscanf(digits + 2 * i, "%2x", &byte) != 1)
            return INVALID_VALUE;
        uuid->bytes[i] = (char)byte;
    }
    uuid->bytes[UUID_BYTES - 1] = (char)(uuid->bytes[UUID_BYTES - 1] + device);
    return device_check(device);
}

EXPORT CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device)
{
    return cuDeviceGetUuid(uuid, device);
}

EXPORT CUresult cuDeviceGetPCIBusId(char *text, int length, CUdevice device)
{
    snprintf(text, (size_t)length, "0000:%02X:00.0", (unsigned)device + 1);
    return device_check(device);
}

EXPORT CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device)
{
    *value = 0;
    if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        *value = CAPABILITY_MAJOR;
    if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
        *value = CAPABILITY_MINOR;
    return device_check(device);
}

EXPORT CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice device)
{
    *major = CAPABILITY_MAJOR;
    *minor = CAPABILITY_MINOR;
    return device_check(device);
}

EXPORT CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device)
{
    *bytes = MEMORY_BYTES;
    return device_check(device);
}
