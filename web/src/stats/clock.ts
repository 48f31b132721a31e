/**
 * Maps this page's clock to the server's by exchanges of ping and pong on the control channel.
 *
 * Pure: told the times. The exchange with the shortest round trip of the last half minute decides: whatever made the
 * others longer also made them less sure. The error is at most half of that round trip.
 */

// Short enough that two crystals drift apart by less than the error of a local network: 50 ppm over 30 s are 1.5 ms.
const MEMORY_MS = 30_000;

interface Exchange {
  receivedAtMs: number;
  rttMs: number;
  /** Server time minus page time. */
  offsetMs: number;
}

export class ClockMapping {
  #exchanges: Exchange[] = [];

  /** Note an exchange: page times in milliseconds, the server's in microseconds. */
  add(sentAtMs: number, receivedAtMs: number, serverUs: number): void {
    const rttMs = receivedAtMs - sentAtMs;
    if (rttMs < 0) return;
    const offsetMs = serverUs / 1000 - (sentAtMs + rttMs / 2);
    this.#exchanges = this.#exchanges.filter((exchange) => receivedAtMs - exchange.receivedAtMs < MEMORY_MS);
    this.#exchanges.push({ receivedAtMs, rttMs, offsetMs });
  }

  /** The newest round trip. */
  get rttMs(): number | null {
    return this.#exchanges.at(-1)?.rttMs ?? null;
  }

  /** By how much `toServerUs` may be wrong; null before the first exchange. */
  get errorMs(): number | null {
    const best = this.#best();
    return best === null ? null : best.rttMs / 2;
  }

  /** Return the server's time at an instant of this page. */
  toServerUs(pageMs: number): number | null {
    const best = this.#best();
    return best === null ? null : Math.round((pageMs + best.offsetMs) * 1000);
  }

  #best(): Exchange | null {
    let best: Exchange | null = null;
    for (const exchange of this.#exchanges) {
      if (best === null || exchange.rttMs < best.rttMs) best = exchange;
    }
    return best;
  }
}
