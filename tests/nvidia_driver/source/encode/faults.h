/* Faults that a test orders: at its n-th time a call fails, everything fails from there on, the process crashes, or
 * nothing returns any more.
 *
 * The mode FAULTS holds them with commas between: "encode_picture:5:20,lock_bitstream:9:device_lost". First the call's
 * name in the log, then which one in this process, then the effect: a status, "crash" (SIGSEGV), "engine_lost" (every
 * later call of the encode library fails), "device_lost" (those of the CUDA library, too) or "hang" (neither this call nor
 * a later one of the encode library returns). */
#ifndef FAULTS_H
#define FAULTS_H

#include <ffnvcodec/nvEncodeAPI.h>

/* What the log has of a call that does not return. */
#define STATUS_HANGS ((NVENCSTATUS)-1)

/* Count this call and return what it has to answer: NV_ENC_SUCCESS if no fault is due. */
NVENCSTATUS fault_of(const char *call_name);

/* Do not return if the status is STATUS_HANGS. */
void fault_hang(NVENCSTATUS status);

#endif
