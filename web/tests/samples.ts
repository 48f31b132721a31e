/** A sample as the sampler makes it, for whatever shows or keeps samples. */

import type { Statistics } from "../src/protocol/control";
import type { Sample } from "../src/stats/sampler";

export const SERVER: Statistics = {
  type: "statistics",
  target_bps: 9_000_000,
  estimate_bps: 10_500_000,
  sent_bps: 8_210_000,
  acked_bps: 8_000_000,
  queue_us: 1250,
  loss_ratio: 0.0124,
  limit: "queue",
  packets_sent: 1000,
  packets_retransmitted: 12,
  keyframes: 2,
  frames: 60,
  rtt_us: 20_000,
  stages_us: { convert: 500, encode: 5040 },
};

export function sample(changes: Partial<Sample> = {}): Sample {
  return {
    counts: {
      atMs: 0,
      payloadBytes: 1_000_000,
      headerBytes: 20_000,
      packetsLost: 13,
      framesDecoded: 60,
      framesDropped: 1,
      freezeCount: 2,
      repairsRequested: 0,
      keyframesRequested: 0,
      jitterBufferDelayS: 0.06,
      jitterBufferFrames: 60,
      decodeS: 0.12,
      widthPx: 1280,
      heightPx: 720,
      codec: "H264",
    },
    rates: { fps: 59.9, receivedBps: 8_123_000, jitterBufferMs: 1.02, decodeMs: null },
    rttMs: 20.3,
    captureToPresentMs: 31.5,
    presentedFps: 59.5,
    freezes: 2,
    server: SERVER,
    ...changes,
  };
}
