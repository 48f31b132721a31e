/** What the statistics overlay says, line by line. Pure. */

import type { Stream } from "../protocol/control";
import type { Sample } from "../stats/sampler";

export interface Row {
  name: string;
  value: string;
  detail: string;
  /** The class of the line that draws this in a graph, or null where none does. */
  key: string | null;
}

const UNKNOWN = "–";

/** Return what is sent and what could be. */
export function rateRows({ rates, server }: Sample): Row[] {
  const sent = server === null ? "" : `sent ${megabits(server.sent_bps)}`;
  const limit = server?.limit ? `limit: ${server.limit}` : "";
  return [
    row("Received", inMegabits(rates.receivedBps), sent, "received"),
    row("Target", inMegabits(server?.target_bps), "", "target"),
    row("Estimate", inMegabits(server?.estimate_bps), limit, "estimate"),
  ];
}

/** Return how old things are when they get here. */
export function delayRows({ captureToPresentMs, rttMs, server }: Sample): Row[] {
  return [
    row("Queue", inMilliseconds(toMs(server?.queue_us)), "in the network", "queue"),
    row("Round trip", inMilliseconds(rttMs), "", "rtt"),
    row("Capture to present", inMilliseconds(captureToPresentMs), "approximate", "age"),
  ];
}

/** Return what the picture is, and what it lacks. */
export function pictureRows({ counts, rates, presentedFps, freezes, server }: Sample, stream: Stream | null): Row[] {
  const encoder = stream === null ? "" : `${stream.encoder}: ${stream.encoder_reason}`;
  const resent = server === null ? "" : `, ${server.packets_retransmitted} resent`;
  return [
    row("Picture", `${counts.widthPx} × ${counts.heightPx}`, stream?.source),
    row("Frame rate", rates.fps.toFixed(1), `${presentedFps.toFixed(1)} presented`),
    row("Codec", counts.codec || (stream?.codec ?? ""), encoder),
    row("Loss", inPercent(server?.loss_ratio), `${counts.packetsLost} lost${resent}`),
    row("Dropped", String(counts.framesDropped), `${freezes} freezes`),
  ];
}

/** Return where the time of a frame goes. */
export function timeRows({ rates, server }: Sample): Row[] {
  return [
    row("Jitter buffer", inMilliseconds(rates.jitterBufferMs), "per frame"),
    row("Decode", inMilliseconds(rates.decodeMs), "per frame"),
    ...Object.entries(server?.stages_us ?? {}).map(([name, us]) => row(`Server: ${name}`, inMilliseconds(toMs(us)))),
  ];
}

function row(name: string, value: string, detail = "", key: string | null = null): Row {
  return { name, value, detail, key };
}

function inMegabits(bps: number | undefined): string {
  return bps === undefined ? UNKNOWN : `${megabits(bps)} Mbit/s`;
}

function megabits(bps: number): string {
  return (bps / 1e6).toFixed(2);
}

function inMilliseconds(ms: number | null): string {
  return ms === null ? UNKNOWN : `${ms.toFixed(1)} ms`;
}

function inPercent(ratio: number | undefined): string {
  return ratio === undefined ? UNKNOWN : `${(ratio * 100).toFixed(1)} %`;
}

function toMs(us: number | undefined): number | null {
  return us === undefined ? null : us / 1000;
}
