/**
 * Turns the pointer events of a surface into positions, movements, buttons and wheel turns.
 *
 * A mouse, a pen and a single finger are all pointers: a touch presses the main button. Further fingers are ignored.
 */

import { contentRectangle, type Position, toPosition } from "./geometry";
import type { InputSender } from "./sender";
import { wheelUnits } from "./totals";

// W3C PointerEvent.buttons has one bit per button, in another order than MouseEvent.button: this is button by bit.
const BUTTON_BY_BIT = [0, 2, 1, 3, 4] as const;

export interface PointerSource {
  /** Gets the events. */
  surface: HTMLElement;
  /** Shows the picture, fitted as by `object-fit: contain`. */
  video: HTMLVideoElement;
  input: InputSender;
  isLocked: () => boolean;
}

/** Listen until `signal` says so. */
export function capturePointer(source: PointerSource, signal: AbortSignal): void {
  const { surface } = source;
  // Raw updates come as the device reports, not once per frame; only secure contexts have them. Of several positions
  // that one event coalesced the newest wins, and that is the event's own.
  const moveEvent = "onpointerrawupdate" in surface ? "pointerrawupdate" : "pointermove";
  surface.addEventListener(moveEvent, (event) => moved(source, event as PointerEvent), { signal });
  if (moveEvent !== "pointermove") {
    // Buttons that change while others are down come as moves.
    surface.addEventListener("pointermove", (event) => buttonsChanged(source, event), { signal });
  }
  surface.addEventListener("pointerdown", (event) => pressed(source, event), { signal });
  surface.addEventListener("pointerup", (event) => buttonsChanged(source, event), { signal });
  surface.addEventListener("pointercancel", (event) => buttonsChanged(source, event), { signal });
  surface.addEventListener("wheel", (event) => turned(source, event), { signal, passive: false });
  // The menu, middle-click scrolling, text selection, dragging of the picture, the back and forward buttons.
  for (const name of ["contextmenu", "mousedown", "mouseup", "auxclick", "dragstart"] as const) {
    surface.addEventListener(name, (event) => source.input.isEnabled && event.preventDefault(), { signal });
  }
}

function moved(source: PointerSource, event: PointerEvent): void {
  if (!event.isPrimary) return;
  buttonsChanged(source, event);
  if (source.isLocked()) source.input.shift(event.movementX, event.movementY);
  else source.input.pointer(positionOf(source, event));
}

function pressed(source: PointerSource, event: PointerEvent): void {
  // So that a drag that leaves the surface goes on, and its end is seen.
  if (event.isPrimary && !source.isLocked()) source.surface.setPointerCapture(event.pointerId);
  buttonsChanged(source, event);
}

function buttonsChanged(source: PointerSource, event: PointerEvent): void {
  if (!event.isPrimary || !source.input.isEnabled) return;
  const position = source.isLocked() ? null : positionOf(source, event);
  BUTTON_BY_BIT.forEach((button, bit) => {
    source.input.button(button, (event.buttons & (1 << bit)) !== 0, position, event.timeStamp);
  });
}

function turned(source: PointerSource, event: WheelEvent): void {
  if (!source.input.isEnabled) return;
  event.preventDefault();
  const { x, y } = wheelUnits(event);
  source.input.wheel(x, y);
}

function positionOf({ video }: PointerSource, event: PointerEvent): Position {
  const content = contentRectangle(video.getBoundingClientRect(), video.videoWidth, video.videoHeight);
  return toPosition(event.clientX, event.clientY, content);
}
