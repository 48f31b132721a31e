/** The looks of `<render-stream>`. Adopted by its shadow root, because the page's policy allows no inline styles. */

import { styleSheet } from "./dom";

export const pageStyles = () => styleSheet("html, body { height: 100%; margin: 0; background: #0b0d10; }");

export const elementStyles = () =>
  styleSheet(`
  :host {
    display: block; position: relative; overflow: hidden; width: 100%; height: 100%; background: #0b0d10;
    color: #e8ecf1; font: 14px/1.4 system-ui, sans-serif; -webkit-tap-highlight-color: transparent;
    --panel: rgb(18 22 28 / 0.88); --sheet: rgb(18 22 28 / 0.95); --line: rgb(255 255 255 / 0.1); --accent: #7cc4ff; --quiet: #9aa7b5;
  }
  [hidden] { display: none !important; }
  .surface, video, canvas, .notice { position: absolute; inset: 0; width: 100%; height: 100%; }
  .surface { touch-action: none; user-select: none; -webkit-user-select: none; outline: none; }
  video, canvas { object-fit: contain; pointer-events: none; }
  canvas { visibility: hidden; filter: grayscale(0.6) brightness(0.45); }
  .stale canvas { visibility: visible; }
  .stale video { visibility: hidden; }
  textarea {
    position: absolute; left: 50%; top: 50%; width: 1px; height: 1px; padding: 0; border: 0; opacity: 0;
    resize: none; pointer-events: none;
  }

  button {
    display: inline-flex; align-items: center; justify-content: center; height: 34px; min-width: 34px; padding: 0 8px;
    border: 0; border-radius: 8px; background: transparent; color: inherit; font: inherit; cursor: pointer;
  }
  button:hover { background: rgb(255 255 255 / 0.09); }
  button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
  button:disabled { color: rgb(255 255 255 / 0.28); background: transparent; cursor: default; }
  button[aria-pressed="true"] { color: var(--accent); background: rgb(124 196 255 / 0.14); }
  button.primary { padding: 0 18px; background: var(--accent); color: #06121d; font-weight: 600; }
  button.primary:hover { background: #a3d6ff; }
  button svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }

  .bar {
    position: absolute; top: 0; left: 50%; display: grid; justify-items: center; padding: 0 12px;
    transform: translate(-50%, -54px); transition: transform 0.16s ease-out 0.25s;
  }
  .bar:hover, .bar:focus-within, .bar.open { transform: translate(-50%, 0); transition-delay: 0s; }
  .tools {
    display: flex; align-items: center; gap: 4px; box-sizing: border-box; height: 46px; margin-top: 8px; padding: 0 6px;
    border: 1px solid var(--line); border-radius: 12px; background: var(--panel); backdrop-filter: blur(10px);
  }
  /* Beyond the edge, where the bar waits, a shadow would still reach into the picture. */
  .bar:hover .tools, .bar:focus-within .tools, .bar.open .tools { box-shadow: 0 8px 28px rgb(0 0 0 / 0.35); }
  .handle { width: 64px; height: 14px; touch-action: none; cursor: pointer; }
  .handle::after {
    content: ""; display: block; width: 44px; height: 4px; margin: 4px auto 0; border-radius: 2px;
    background: rgb(255 255 255 / 0.3); box-shadow: 0 0 0 1px rgb(0 0 0 / 0.12);
  }
  .bar:hover .handle::after, .bar.open .handle::after, .bar:focus-within .handle::after { opacity: 0; }
  .seat { display: inline-flex; align-items: center; gap: 8px; padding: 0 10px 0 8px; white-space: nowrap; font-size: 13px; }
  .seat::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: #d9a441; }
  .seat.holder::before { background: #5fd38d; }

  .notice { display: grid; place-items: center; padding: 16px; box-sizing: border-box; pointer-events: none; }
  .card {
    display: grid; justify-items: center; gap: 14px; max-width: 34em; padding: 26px 32px; border: 1px solid var(--line);
    border-radius: 16px; background: var(--panel); text-align: center; pointer-events: auto;
    box-shadow: 0 16px 48px rgb(0 0 0 / 0.45);
  }
  .card h2 { margin: 0; font-size: 17px; font-weight: 600; font-variant-numeric: tabular-nums; }
  .card p { margin: 4px 0 0; color: var(--quiet); text-wrap: balance; }
  /* A connection that is quicker than this needs no words. */
  .notice.busy .card { animation: appear 0.2s ease-out 0.4s both; }
  .spinner {
    display: none; width: 26px; height: 26px; border: 3px solid var(--line); border-top-color: var(--accent);
    border-radius: 50%; animation: turn 0.9s linear infinite;
  }
  .busy .spinner { display: block; }

  .hint {
    position: absolute; bottom: 16px; left: 50%; width: max-content; max-width: min(36em, calc(100% - 32px)); margin: 0;
    padding: 10px 16px; box-sizing: border-box; border: 1px solid var(--line); border-radius: 12px;
    background: var(--sheet); text-align: center; text-wrap: balance; transform: translateX(-50%); pointer-events: none;
  }

  .overlay {
    position: absolute; top: 12px; left: 12px; display: grid; gap: 9px 26px;
    max-width: calc(100% - 24px); max-height: calc(100% - 24px); overflow: hidden; padding: 10px 14px;
    box-sizing: border-box; border: 1px solid var(--line); border-radius: 12px; background: var(--sheet);
    pointer-events: none; font-size: 12.5px;
  }
  /* Reasons are long, and the picture below is what the viewer came for. */
  dl { display: grid; grid-template-columns: 10.6em minmax(0, 21em); gap: 2px 0.7em; align-content: start; margin: 0; }
  dt { color: var(--quiet); white-space: nowrap; }
  dd { margin: 0; font-variant-numeric: tabular-nums; }
  dt[class]::before {
    content: ""; display: inline-block; width: 9px; height: 9px; margin-right: 7px; border-radius: 3px;
    background: var(--ink);
  }
  small { margin-left: 8px; color: var(--quiet); font-size: 0.92em; }
  figure { margin: 0; }
  figcaption { font-weight: 600; }
  figcaption small { font-weight: 400; }
  figure + dl { margin-top: 3px; }

  .received { --ink: #5fd38d; }
  .target { --ink: #f2f5f8; }
  .estimate { --ink: #7cc4ff; }
  .queue { --ink: #e0a43a; }
  .rtt { --ink: #b9a1ff; }
  .age { --ink: #ff8fa3; }
  figure svg { display: block; width: 100%; max-width: 330px; }
  .line { fill: none; stroke: var(--ink); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
  .line.target { stroke-width: 1.2; }
  .area { fill: var(--ink); opacity: 0.16; }
  .grid { fill: none; stroke: var(--line); shape-rendering: crispEdges; }
  text { fill: var(--quiet); font-size: 11.5px; font-variant-numeric: tabular-nums; }
  text.middle { text-anchor: middle; }
  text.end { text-anchor: end; }

  @media (max-width: 1080px) { .overlay { top: 64px; max-height: calc(100% - 76px); } }
  /* Not high enough for one column; at the lower edge, so that the bar lies over none of it. */
  @media (max-height: 680px) and (min-width: 600px) {
    .overlay { top: auto; bottom: 12px; max-height: calc(100% - 24px); grid-template-columns: 1fr 1fr; font-size: 11px; }
  }

  @keyframes appear { from { opacity: 0; } }
  @keyframes turn { to { transform: rotate(1turn); } }
  @media (prefers-reduced-motion: reduce) {
    .bar { transition: none; }
    .spinner { animation-duration: 4s; }
    .notice.busy .card { animation-duration: 0.01s; }
  }
`);
