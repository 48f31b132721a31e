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
  return [
    row(
      "Received",
      megabits(rates.receivedBps),
      server === null ? "" : `sent ${megabits(server.sent_bps)}`,
      "received",
    ),
    row("Target", megabits(server?.target_bps), "", "target"),
    row("Estimate", megabits(server?.estimate_bps), server?.limit ? `limit: ${server.limit}` : "", "estimate"),
  ];
}

/** Return how old things are when they get here. */
export function delayRows({ captureToPresentMs, rttMs, server }: Sample): Row[] {
  return [
    row("Queue", milliseconds(toMs(server?.queue_us)), "in the network", "queue"),
    row("Round trip", milliseconds(rttMs), "", "rtt"),
    row("Capture to present", milliseconds(captureToPresentMs), "approximate", "age"),
  ];
}

/** Return what the picture is, and what it lacks. */
export function pictureRows({ counts, rates, presentedFps, server }: Sample, stream: Stream | null): Row[] {
  const encoder = stream === null ? "" : `${stream.encoder}: ${stream.encoder_reason}`;
  const again = server === null ? "" : `, ${server.packets_retransmitted} sent again`;
  return [
    row("Picture", `${counts.widthPx} × ${counts.heightPx}`, stream?.source),
    row("Frame rate", rates.fps.toFixed(1), `${presentedFps.toFixed(1)} presented`),
    row("Codec", counts.codec || (stream?.codec ?? ""), encoder),
    row("Loss", percent(server?.loss_ratio), `${counts.packetsLost} packets${again}`),
    row("Dropped", String(counts.framesDropped), `${counts.freezeCount} freezes`),
  ];
}

/** Return where the time of a frame goes. */
export function timeRows({ rates, server }: Sample): Row[] {
  return [
    row("Jitter buffer", milliseconds(rates.jitterBufferMs), "per frame"),
    row("Decode", milliseconds(rates.decodeMs), "per frame"),
    ...Object.entries(server?.stages_us ?? {}).map(([name, us]) => row(`Server: ${name}`, milliseconds(toMs(us)))),
  ];
}

function row(name: string, value: string, detail = "", key: string | null = null): Row {
  return { name, value, detail, key };
}

function megabits(bps: number | undefined): string {
  return bps === undefined ? UNKNOWN : `${(bps / 1e6).toFixed(2)} Mbit/s`;
}

function milliseconds(ms: number | null): string {
  return ms === null ? UNKNOWN : `${ms.toFixed(1)} ms`;
}

function percent(ratio: number | undefined): string {
  return ratio === undefined ? UNKNOWN : `${(ratio * 100).toFixed(1)} %`;
}

function toMs(us: number | undefined): number | null {
  return us === undefined ? null : us / 1000;
}
