/** The statistics overlay: what arrives, how old it is, and where the time goes. */

import type { Stream } from "../protocol/control";
import type { Sample } from "../stats/sampler";
import { element } from "./dom";

type Row = readonly [name: string, value: string, detail: string];

export class Overlay {
  readonly root = element("section", { class: "overlay", "aria-label": "Statistics" });
  readonly #list = element("dl");
  #sample: Sample | null = null;
  #stream: Stream | null = null;

  constructor() {
    this.root.append(this.#list);
    this.root.hidden = true;
  }

  get isShown(): boolean {
    return !this.root.hidden;
  }

  toggle(): void {
    this.root.hidden = this.isShown;
    this.#render();
  }

  showSample(sample: Sample): void {
    this.#sample = sample;
    this.#render();
  }

  showStream(stream: Stream): void {
    this.#stream = stream;
    this.#render();
  }

  #render(): void {
    if (!this.isShown) return;
    const rows = this.#sample === null ? [["Statistics", "not yet", ""] as const] : rowsOf(this.#sample, this.#stream);
    this.#list.replaceChildren(
      ...rows.flatMap(([name, value, detail]) => [
        element("dt", {}, name),
        element("dd", {}, value, element("small", {}, detail)),
      ]),
    );
  }
}

/** Return what the overlay says, line by line. */
export function rowsOf(sample: Sample, stream: Stream | null): Row[] {
  const { counts, rates, server } = sample;
  const encoder = stream === null ? "" : `${stream.encoder}: ${stream.encoder_reason}`;
  const rows: Row[] = [
    ["Picture", `${counts.widthPx} × ${counts.heightPx}`, stream?.source ?? ""],
    ["Frame rate", rates.fps.toFixed(1), `${sample.presentedFps.toFixed(1)} presented`],
    ["Codec", counts.codec || (stream?.codec ?? ""), encoder],
    ["Bitrate", megabits(rates.receivedBps), server === null ? "" : `target ${megabits(server.target_bps)}`],
    ["Capture to present", milliseconds(sample.captureToPresentMs), "estimate"],
    ["Round trip", milliseconds(sample.rttMs), ""],
    ["Jitter buffer", milliseconds(rates.jitterBufferMs), "per frame"],
    ["Decode", milliseconds(rates.decodeMs), "per frame"],
    ["Dropped", String(counts.framesDropped), `${sample.freezes} freezes`],
    ["Packets lost", String(counts.packetsLost), server === null ? "" : `${server.packets_retransmitted} sent again`],
  ];
  for (const [name, stageUs] of Object.entries(server?.stages_us ?? {})) {
    rows.push([`Server: ${name}`, milliseconds(stageUs / 1000), ""]);
  }
  return rows;
}

function megabits(bps: number): string {
  return `${(bps / 1e6).toFixed(2)} Mbit/s`;
}

function milliseconds(value: number | null): string {
  return value === null ? "–" : `${value.toFixed(1)} ms`;
}
