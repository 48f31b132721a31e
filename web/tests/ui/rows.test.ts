import { describe, expect, test } from "vitest";
import { delayRows, pictureRows, type Row, rateRows, timeRows } from "../../src/ui/rows";
import { SERVER, sample } from "../samples";

function said(rows: Row[]): string[] {
  return rows.map(({ name, value, detail }) => [name, value, detail].filter(Boolean).join(" · "));
}

describe("the rows", () => {
  test("tell the rates and what limits them", () => {
    expect(said(rateRows(sample()))).toEqual([
      "Received · 8.12 Mbit/s · sent 8.21",
      "Target · 9.00 Mbit/s",
      "Estimate · 10.50 Mbit/s · limit: queue",
    ]);
  });

  test("name no limit where the server names none", () => {
    const rows = rateRows(sample({ server: { ...SERVER, limit: "" } }));

    expect(said(rows)).toContain("Estimate · 10.50 Mbit/s");
  });

  test("tell the delays", () => {
    expect(said(delayRows(sample()))).toEqual([
      "Queue · 1.3 ms · in the network",
      "Round trip · 20.3 ms",
      "Capture to present · 31.5 ms · approximate",
    ]);
  });

  test("tell the loss in percent and in packets", () => {
    expect(said(pictureRows(sample(), null))).toContain("Loss · 1.2 % · 13 lost, 12 resent");
  });

  test("have a line for each stage of the server", () => {
    expect(said(timeRows(sample()))).toEqual([
      "Jitter buffer · 1.0 ms · per frame",
      "Decode · – · per frame",
      "Server: convert · 0.5 ms",
      "Server: encode · 5.0 ms",
    ]);
  });

  test("claim nothing before the server has told", () => {
    const early = sample({ server: null, rttMs: null, captureToPresentMs: null });

    expect(said(rateRows(early))).toEqual(["Received · 8.12 Mbit/s", "Target · –", "Estimate · –"]);
    expect(delayRows(early).map(({ value }) => value)).toEqual(["–", "–", "–"]);
    expect(said(pictureRows(early, null))).toContain("Loss · – · 13 lost");
    expect(timeRows(early)).toHaveLength(2);
  });
});
