/**
 * Once a second: reads the browser's counts, joins them with the server's, and makes the report to the server.
 *
 * Owns the pings and the clock mapping of one peer. Shows nothing.
 */

import type { FromViewer, Pong, Report, Statistics } from "../protocol/control";
import type { Picture, Presented } from "../video/picture";
import { ClockMapping } from "./clock";
import { Freezes } from "./freezes";
import { type Counts, countsOf, median, type Rates, ratesBetween } from "./rates";

const PERIOD_MS = 1000;
// A few exchanges in quick succession map the clocks soon after the start.
const FIRST_PINGS = 6;
const FIRST_PING_PERIOD_MS = 50;
// A pong that is missing for so long is not waited for.
const MAX_WAITING_PINGS = 16;

/** All that is known about the stream at one moment. */
export interface Sample {
  counts: Counts;
  rates: Rates;
  rttMs: number | null;
  /** From the server's capture to this screen: the server's stages, half a round trip, and the way from the last packet
   * to the screen. An estimate: the three are medians of the same second, not of the same frame. */
  captureToPresentMs: number | null;
  /** Frames that the page saw presented, per second. */
  presentedFps: number;
  /** How often the picture stood still although there was something to show, since the peer was made. */
  freezes: number;
  server: Statistics | null;
}

export class Sampler {
  readonly clock = new ClockMapping();
  readonly #picture: Picture;
  readonly #connection: RTCPeerConnection;
  readonly #send: (message: FromViewer) => void;
  readonly #tell: (sample: Sample) => void;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #sentAtMs = new Map<number, number>();
  readonly #freezes = new Freezes();
  #pings = 0;
  #last: Counts | null = null;
  #server: Statistics | null = null;

  constructor(
    picture: Picture,
    connection: RTCPeerConnection,
    send: (message: FromViewer) => void,
    tell: (sample: Sample) => void,
  ) {
    this.#picture = picture;
    this.#connection = connection;
    this.#send = send;
    this.#tell = tell;
    this.#timers.push(setInterval(() => void this.#sample(), PERIOD_MS));
    const first = setInterval(() => {
      this.#ping();
      if (this.#pings >= FIRST_PINGS) clearInterval(first);
    }, FIRST_PING_PERIOD_MS);
    this.#timers.push(first);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  pong(message: Pong): void {
    const sentAtMs = this.#sentAtMs.get(message.id);
    if (sentAtMs === undefined) return;
    this.#sentAtMs.delete(message.id);
    this.clock.add(sentAtMs, performance.now(), message.server_us);
  }

  statistics(message: Statistics): void {
    this.#server = message;
  }

  #ping(): void {
    if (this.#sentAtMs.size >= MAX_WAITING_PINGS) this.#sentAtMs.clear();
    this.#pings += 1;
    this.#sentAtMs.set(this.#pings, performance.now());
    this.#send({ type: "ping", id: this.#pings });
  }

  async #sample(): Promise<void> {
    this.#ping();
    const counts = countsOf((await this.#connection.getStats()).values());
    const last = this.#last;
    const frames = this.#picture.takeFrames();
    this.#last = counts;
    if (counts === null || last === null || counts.atMs <= last.atMs) return;
    const sample: Sample = {
      counts,
      rates: ratesBetween(last, counts),
      rttMs: this.clock.rttMs,
      captureToPresentMs: this.#captureToPresentMs(frames),
      presentedFps: (frames.length * 1000) / (counts.atMs - last.atMs),
      freezes: this.#freezes.sample(last, counts, frames),
      server: this.#server,
    };
    this.#tell(sample);
    this.#send(reportOf(sample));
  }

  #captureToPresentMs(frames: readonly Presented[]): number | null {
    const receiveToPresentMs = median(frames.flatMap(({ receiveToPresentMs }) => receiveToPresentMs ?? []));
    const { rttMs } = this.clock;
    if (receiveToPresentMs === null || rttMs === null || this.#server === null) return null;
    const stagesUs = Object.values(this.#server.stages_us).reduce((sum, stageUs) => sum + stageUs, 0);
    return stagesUs / 1000 + rttMs / 2 + receiveToPresentMs;
  }
}

function reportOf({ counts, rates, captureToPresentMs, freezes }: Sample): Report {
  return {
    type: "report",
    frames_decoded: counts.framesDecoded,
    frames_dropped: counts.framesDropped,
    freeze_count: freezes,
    jitter_buffer_ms: rates.jitterBufferMs,
    decode_ms: rates.decodeMs,
    capture_to_present_ms: captureToPresentMs,
  };
}
