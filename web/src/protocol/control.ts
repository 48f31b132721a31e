/**
 * The control conversation: one JSON object per text message of the data channel `control`.
 *
 * Mirrors streamer/protocol/control.py; the messages are described in streamer/protocol/README.md and keep the names of
 * the wire. Knows nothing of channels.
 */

import {
  asObject,
  type Members,
  ProtocolError,
  parseObject,
  readBoolean,
  readInteger,
  readNumber,
  readOptional,
  readString,
} from "./members";

export const MAX_MESSAGE_BYTES = 16384;

export interface Pong {
  type: "pong";
  id: number;
  server_us: number;
}

export interface Seat {
  type: "seat";
  is_holder: boolean;
  viewers: number;
}

/** A text was not entered, because too much of earlier texts still waits to be. */
export interface TextRefused {
  type: "text_refused";
}

export interface Stream {
  type: "stream";
  codec: string;
  encoder: string;
  encoder_reason: string;
  source: string;
  width_px: number;
  height_px: number;
  fps: number;
}

export interface Statistics {
  type: "statistics";
  target_bps: number;
  /** What the path carries. */
  estimate_bps: number;
  sent_bps: number;
  /** What arrived of what was sent. */
  acked_bps: number;
  /** How long packets wait in the network's queue. */
  queue_us: number;
  loss_ratio: number;
  /** What governs the rate, in a word or two. */
  limit: string;
  packets_sent: number;
  packets_retransmitted: number;
  keyframes: number;
  frames: number;
  rtt_us: number | null;
  stages_us: Readonly<Record<string, number>>;
}

export type FromServer = Pong | Seat | TextRefused | Stream | Statistics;

export interface Report {
  type: "report";
  frames_decoded: number;
  frames_dropped: number;
  freeze_count: number;
  jitter_buffer_ms: number | null;
  decode_ms: number | null;
  capture_to_present_ms: number | null;
}

export type FromViewer =
  | { type: "ping"; id: number }
  | { type: "keyframe"; reason: string }
  | { type: "pause"; is_paused: boolean }
  | Report;

/** Return the message that `text` is, or throw `ProtocolError`. */
export function parseControl(text: unknown): FromServer {
  const members = parseObject(text, MAX_MESSAGE_BYTES);
  const type = readString(members, "type");
  switch (type) {
    case "pong":
      return { type, id: readInteger(members, "id"), server_us: readInteger(members, "server_us") };
    case "seat":
      return { type, is_holder: readBoolean(members, "is_holder"), viewers: readInteger(members, "viewers") };
    case "text_refused":
      return { type };
    case "stream":
      return parseStream(members);
    case "statistics":
      return parseStatistics(members);
    default:
      throw new ProtocolError(`unknown control message ${JSON.stringify(type)}`);
  }
}

export function serializeControl(message: FromViewer): string {
  return JSON.stringify(message);
}

function parseStream(members: Members): Stream {
  return {
    type: "stream",
    codec: readString(members, "codec"),
    encoder: readString(members, "encoder"),
    encoder_reason: readString(members, "encoder_reason"),
    source: readString(members, "source"),
    width_px: readInteger(members, "width_px"),
    height_px: readInteger(members, "height_px"),
    fps: readNumber(members, "fps"),
  };
}

function parseStatistics(members: Members): Statistics {
  const stages = asObject(members.stages_us, "stages_us");
  return {
    type: "statistics",
    target_bps: readInteger(members, "target_bps"),
    estimate_bps: readInteger(members, "estimate_bps"),
    sent_bps: readInteger(members, "sent_bps"),
    acked_bps: readInteger(members, "acked_bps"),
    queue_us: readInteger(members, "queue_us"),
    loss_ratio: readNumber(members, "loss_ratio"),
    limit: readString(members, "limit"),
    packets_sent: readInteger(members, "packets_sent"),
    packets_retransmitted: readInteger(members, "packets_retransmitted"),
    keyframes: readInteger(members, "keyframes"),
    frames: readInteger(members, "frames"),
    rtt_us: readOptional(members, "rtt_us", readInteger),
    stages_us: Object.fromEntries(Object.keys(stages).map((name) => [name, readInteger(stages, name)])),
  };
}
