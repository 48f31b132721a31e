/**
 * What the browser counted about the received video, and what two such counts say about the time between them.
 *
 * Pure: takes reports as iterables of records. The member names are those of W3C webrtc-stats.
 */

/** Totals since the peer was made. */
export interface Counts {
  atMs: number;
  /** Payload alone: webrtc-stats counts headers and padding in `headerBytesReceived`. */
  payloadBytes: number;
  headerBytes: number;
  packetsLost: number;
  /** Negative acknowledgements that the browser sent. */
  repairsRequested: number;
  keyframesRequested: number;
  framesDecoded: number;
  framesDropped: number;
  freezeCount: number;
  jitterBufferDelayS: number;
  jitterBufferFrames: number;
  decodeS: number;
  widthPx: number;
  heightPx: number;
  codec: string;
}

/** What happened between two counts. */
export interface Rates {
  fps: number;
  receivedBps: number;
  /** Per frame; null when there was none. */
  jitterBufferMs: number | null;
  decodeMs: number | null;
}

type StatsRecord = Readonly<Record<string, unknown>>;

/** Return the counts of the received video in a statistics report, or null while it has none. */
export function countsOf(report: Iterable<StatsRecord>): Counts | null {
  const records = [...report];
  const inbound = records.find((record) => record.type === "inbound-rtp" && record.kind === "video");
  if (inbound === undefined) return null;
  const codec = records.find((record) => record.type === "codec" && record.id === inbound.codecId);
  return {
    atMs: number(inbound, "timestamp"),
    payloadBytes: number(inbound, "bytesReceived"),
    headerBytes: number(inbound, "headerBytesReceived"),
    packetsLost: number(inbound, "packetsLost"),
    repairsRequested: number(inbound, "nackCount"),
    keyframesRequested: number(inbound, "pliCount"),
    framesDecoded: number(inbound, "framesDecoded"),
    framesDropped: number(inbound, "framesDropped"),
    freezeCount: number(inbound, "freezeCount"),
    jitterBufferDelayS: number(inbound, "jitterBufferDelay"),
    jitterBufferFrames: number(inbound, "jitterBufferEmittedCount"),
    decodeS: number(inbound, "totalDecodeTime"),
    widthPx: number(inbound, "frameWidth"),
    heightPx: number(inbound, "frameHeight"),
    codec: String(codec?.mimeType ?? "").replace("video/", ""),
  };
}

export function ratesBetween(before: Counts, after: Counts): Rates {
  const elapsedS = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const frames = after.framesDecoded - before.framesDecoded;
  const buffered = after.jitterBufferFrames - before.jitterBufferFrames;
  const bytes = after.payloadBytes + after.headerBytes - before.payloadBytes - before.headerBytes;
  return {
    fps: frames / elapsedS,
    receivedBps: (bytes * 8) / elapsedS,
    jitterBufferMs: perFrameMs(after.jitterBufferDelayS - before.jitterBufferDelayS, buffered),
    decodeMs: perFrameMs(after.decodeS - before.decodeS, frames),
  };
}

/** Return the middle of some numbers, or null where there are none. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

function perFrameMs(seconds: number, frames: number): number | null {
  return frames > 0 ? (seconds * 1000) / frames : null;
}

function number(record: StatsRecord, name: string): number {
  const value = record[name];
  return typeof value === "number" ? value : 0;
}
