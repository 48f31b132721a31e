/** The statistics overlay: what arrives, how old it is, where the time goes, and how that was in the last two minutes. */

import type { Stream } from "../protocol/control";
import { SampleHistory } from "../stats/history";
import type { Sample } from "../stats/sampler";
import { element } from "./dom";
import { type Axis, type Curve, Graph } from "./graph";
import { delayRows, pictureRows, type Row, rateRows, timeRows } from "./rows";

// Below these, ups and downs are nothing that a viewer could notice.
const RATE: Axis = { label: "Rate", unit: "Mbit/s", leastTop: 1 };
const DELAY: Axis = { label: "Delay", unit: "ms", leastTop: 20 };

const RATES: readonly Curve[] = [
  { key: "received", read: ({ rates }) => rates.receivedBps / 1e6 },
  { key: "estimate", read: ({ server }) => server && server.estimate_bps / 1e6 },
  { key: "target", read: ({ server }) => server && server.target_bps / 1e6 },
];
const DELAYS: readonly Curve[] = [
  { key: "queue", read: ({ server }) => server && server.queue_us / 1000 },
  { key: "rtt", read: ({ rttMs }) => rttMs },
  { key: "age", read: ({ captureToPresentMs }) => captureToPresentMs },
];

const NOT_YET: Row = { name: "Statistics", value: "not yet", detail: "", key: null };

export class Overlay {
  readonly root = element("section", { class: "overlay", "aria-label": "Statistics" });
  readonly #rateGraph = new Graph(RATE, RATES);
  readonly #delayGraph = new Graph(DELAY, DELAYS);
  readonly #rates = element("dl");
  readonly #delays = element("dl");
  readonly #picture = element("dl");
  readonly #times = element("dl");
  // Kept while nothing is shown: whoever opens the overlay wants to know what has just happened.
  readonly #history = new SampleHistory();
  #stream: Stream | null = null;

  constructor() {
    const rate = element("div", {}, this.#rateGraph.root, this.#rates);
    const delay = element("div", {}, this.#delayGraph.root, this.#delays);
    this.root.append(rate, delay, this.#picture, this.#times);
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
    this.#history.add(performance.now(), sample);
    this.#render();
  }

  showStream(stream: Stream): void {
    this.#stream = stream;
    this.#render();
  }

  #render(): void {
    if (!this.isShown) return;
    this.#rateGraph.draw(this.#history);
    this.#delayGraph.draw(this.#history);
    const sample = this.#history.newest?.sample;
    if (sample === undefined) {
      fill(this.#picture, [NOT_YET]);
      return;
    }
    fill(this.#rates, rateRows(sample));
    fill(this.#delays, delayRows(sample));
    fill(this.#picture, pictureRows(sample, this.#stream));
    fill(this.#times, timeRows(sample));
  }
}

function fill(list: HTMLElement, rows: readonly Row[]): void {
  list.replaceChildren(
    ...rows.flatMap(({ name, value, detail, key }) => [
      element("dt", key === null ? {} : { class: key }, name),
      element("dd", {}, value, element("small", {}, detail)),
    ]),
  );
}
