/* Faults that a test orders: at its n-th time a call fails, everything fails from there on, or the process crashes.
 *
 * The mode FAULTS holds them with commas between: "encode_picture:5:20,lock_bitstream:9:device_lost". First the call's
 * name in the log, then which one in this process, then the effect: a status, "crash" (SIGSEGV), "engine_lost" (every
 * later call of the encode library fails) or "device_lost" (those of the CUDA library, too). */
#ifndef FAULTS_H
#define FAULTS_H

#include <ffnvcodec/nvEncodeAPI.h>

/* Count this call and return what it has to answer: NV_ENC_SUCCESS if no fault is due. */
NVENCSTATUS fault_of(const char *call_name);

#endif
