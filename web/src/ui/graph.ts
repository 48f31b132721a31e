/**
 * Draws some values of the last two minutes as lines over time.
 *
 * SVG rather than a canvas: sharp on every screen, and coloured by the style sheet. What the lines are is decided by
 * their owner, which calls `draw` whenever there is something new.
 */

import { type SampleHistory, SPAN_MS } from "../stats/history";
import type { Sample } from "../stats/sampler";
import { element, svg } from "./dom";
import { areaOf, lineOf, runsOf, type Scale, topOf } from "./plot";

export interface Curve {
  /** The class whose colour the line takes. */
  key: string;
  read(sample: Sample): number | null;
}

export interface Axis {
  label: string;
  unit: string;
  /** The scale ends no lower, so that what does not matter looks flat. */
  leastTop: number;
}

const WIDTH_PX = 300;
const HEIGHT_PX = 72;
// Room for half a line of text above and for the times below; on the right for the numbers of the scale.
const ABOVE_PX = 7;
const BELOW_PX = 16;
const RIGHT_PX = 30;
const GRID_MS = 30_000;

export class Graph {
  readonly root: HTMLElement;
  readonly #axis: Axis;
  readonly #curves: readonly Curve[];
  readonly #lines: readonly SVGElement[];
  readonly #area = svg("path", { class: "area" });
  readonly #top = tick(0);
  readonly #middle = tick(HEIGHT_PX / 2);

  /** Each curve lies over those before it; the first has its area filled. */
  constructor(axis: Axis, curves: readonly Curve[]) {
    this.#axis = axis;
    this.#curves = curves;
    this.#lines = curves.map(({ key }) => svg("path", { class: `line ${key}` }));
    this.#area.classList.add(curves[0]?.key ?? "");
    const plot = svg(
      "svg",
      {
        viewBox: `0 ${-ABOVE_PX} ${WIDTH_PX + RIGHT_PX} ${ABOVE_PX + HEIGHT_PX + BELOW_PX}`,
        role: "img",
        "aria-label": `${axis.label} over the last two minutes`,
      },
      svg("path", { class: "grid", d: gridOf() }),
      ...times(),
      this.#top,
      this.#middle,
      tick(HEIGHT_PX, "0"),
      this.#area,
      ...this.#lines,
    );
    this.root = element("figure", {}, element("figcaption", {}, axis.label, element("small", {}, axis.unit)), plot);
  }

  draw({ moments, newest }: SampleHistory): void {
    const curves = this.#curves.map(({ read }) => moments.map(({ atMs, sample }) => ({ atMs, value: read(sample) })));
    const largest = Math.max(...curves.flat().map(({ value }) => value ?? 0));
    const scale: Scale = {
      widthPx: WIDTH_PX,
      heightPx: HEIGHT_PX,
      spanMs: SPAN_MS,
      nowMs: newest?.atMs ?? 0,
      top: topOf(largest, this.#axis.leastTop),
    };
    const runs = curves.map((values) => runsOf(values, scale));
    for (const [at, line] of this.#lines.entries()) line.setAttribute("d", lineOf(runs[at] ?? []));
    this.#area.setAttribute("d", areaOf(runs[0] ?? [], scale));
    this.#top.textContent = String(scale.top);
    this.#middle.textContent = String(scale.top / 2);
  }
}

/** Return the path of the lines behind the plot. */
function gridOf(): string {
  const across = [0, HEIGHT_PX / 2, HEIGHT_PX].map((yPx) => `M0,${yPx}H${WIDTH_PX}`);
  const down: string[] = [];
  for (let agoMs = 0; agoMs <= SPAN_MS; agoMs += GRID_MS) down.push(`M${xOf(agoMs)},0V${HEIGHT_PX}`);
  return [...across, ...down].join("");
}

function times(): SVGElement[] {
  const yPx = String(HEIGHT_PX + BELOW_PX - 3);
  return [
    svg("text", { x: "0", y: yPx }, "2 min ago"),
    svg("text", { class: "middle", x: String(xOf(SPAN_MS / 2)), y: yPx }, "1 min"),
    svg("text", { class: "end", x: String(WIDTH_PX), y: yPx }, "now"),
  ];
}

/** Return a number beside the scale; digits are about 8 px high. */
function tick(yPx: number, text = ""): SVGElement {
  return svg("text", { x: String(WIDTH_PX + 5), y: String(yPx + 4) }, text);
}

function xOf(agoMs: number): number {
  return WIDTH_PX * (1 - agoMs / SPAN_MS);
}
