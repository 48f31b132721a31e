import { describe, expect, test } from "vitest";
import { type Counts, countsOf, median, ratesBetween } from "../../src/stats/rates";

const INBOUND = {
  type: "inbound-rtp",
  kind: "video",
  codecId: "c1",
  timestamp: 1000,
  bytesReceived: 500_000,
  headerBytesReceived: 10_000,
  packetsLost: 3,
  framesDecoded: 60,
  framesDropped: 1,
  freezeCount: 2,
  jitterBufferDelay: 0.06,
  jitterBufferEmittedCount: 60,
  totalDecodeTime: 0.12,
  frameWidth: 1280,
  frameHeight: 720,
};
const CODEC = { type: "codec", id: "c1", mimeType: "video/H264" };

function counts(changes: Partial<typeof INBOUND> = {}): Counts {
  const found = countsOf([CODEC, { type: "inbound-rtp", kind: "audio" }, { ...INBOUND, ...changes }]);
  if (found === null) throw new Error("the report has video");
  return found;
}

describe("countsOf", () => {
  test("finds the video and its codec", () => {
    expect(counts()).toMatchObject({ payloadBytes: 500_000, framesDecoded: 60, widthPx: 1280, codec: "H264" });
  });

  test("says so while there is no video", () => {
    expect(countsOf([CODEC])).toBeNull();
  });
});

describe("ratesBetween", () => {
  test("divides by the time between the counts", () => {
    const after = counts({
      timestamp: 1500,
      bytesReceived: 1_000_000,
      headerBytesReceived: 20_000,
      framesDecoded: 90,
      jitterBufferDelay: 0.075,
      jitterBufferEmittedCount: 90,
      totalDecodeTime: 0.165,
    });

    const rates = ratesBetween(counts(), after);

    expect(rates.fps).toBeCloseTo(60);
    expect(rates.receivedBps).toBeCloseTo((510_000 * 8) / 0.5);
    expect(rates.jitterBufferMs).toBeCloseTo(0.5);
    expect(rates.decodeMs).toBeCloseTo(1.5);
  });

  test("has no time per frame without frames", () => {
    const rates = ratesBetween(counts(), counts({ timestamp: 2000 }));

    expect(rates).toMatchObject({ fps: 0, jitterBufferMs: null, decodeMs: null });
  });
});

test("median takes the middle, and nothing of nothing", () => {
  expect([median([9, 1, 5]), median([])]).toEqual([5, null]);
});
