import { describe, expect, test } from "vitest";
import { parseControl } from "../../src/protocol/control";
import { ProtocolError } from "../../src/protocol/members";

const STATISTICS = {
  type: "statistics",
  target_bps: 9_000_000,
  estimate_bps: 9_500_000,
  sent_bps: 8_000_000,
  acked_bps: 7_900_000,
  queue_us: 1200,
  loss_ratio: 0.012,
  limit: "growth",
  packets_sent: 100,
  packets_retransmitted: 1,
  keyframes: 2,
  frames: 60,
  rtt_us: 1500,
  stages_us: { convert: 500, encode: 5000 },
};

describe("parseControl", () => {
  test.each([
    { type: "pong", id: 7, server_us: 123_456_789_012 },
    { type: "seat", is_holder: true, viewers: 2 },
    { type: "text_refused" },
    {
      type: "stream",
      codec: "h264",
      encoder: "software",
      encoder_reason: "no GPU",
      source: "pattern",
      width_px: 1280,
      height_px: 720,
      fps: 59.7,
    },
    STATISTICS,
    { ...STATISTICS, rtt_us: null, stages_us: {} },
  ])("reads $type", (message) => {
    expect(parseControl(JSON.stringify({ ...message, later: true }))).toEqual(message);
  });

  test.each<[string, unknown]>([
    ["an unknown type", { type: "ping", id: 1 }],
    ["a pong without a clock", { type: "pong", id: 1 }],
    ["a seat that is no claim", { type: "seat", is_holder: "yes", viewers: 1 }],
    ["a loss that is no number", { ...STATISTICS, loss_ratio: "none" }],
    ["a limit that is no text", { ...STATISTICS, limit: null }],
    ["stages that are a list", { ...STATISTICS, stages_us: [] }],
    ["a stage that is no integer", { ...STATISTICS, stages_us: { encode: "fast" } }],
  ])("rejects %s", (_name, message) => {
    expect(() => parseControl(JSON.stringify(message))).toThrow(ProtocolError);
  });
});
