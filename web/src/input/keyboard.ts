/**
 * Turns the keyboard events of a surface into keys by place, and what no key stands for into text.
 *
 * The target is a text area, because input methods speak to nothing else. It stays empty: what is composed or pasted
 * there goes to the server.
 */

import { CharacterKeys, platformOf } from "./altgraph";
import type { InputSender } from "./sender";

/** Listen until `signal` says so. */
export function captureKeyboard(target: HTMLTextAreaElement, input: InputSender, signal: AbortSignal): void {
  const characters = new CharacterKeys(input, platformOf(navigator.platform));
  target.addEventListener("keydown", (event) => pressed(event, characters, input), { signal });
  target.addEventListener("keyup", (event) => released(event, characters, input), { signal });
  target.addEventListener("blur", () => characters.forget(), { signal });
  target.addEventListener("beforeinput", (event) => edited(event, input), { signal });
  target.addEventListener("compositionend", (event) => composed(event, target, input), { signal });
  target.addEventListener("paste", (event) => pasted(event, input), { signal });
}

/** What decides whether a key is the page's, the browser's or the server's. */
export interface KeyPress {
  code: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** Return whether a key stays with the browser: full screen, and the shortcuts that paste without being plain Ctrl+V. */
export function isBrowsersOwn({ code, ctrlKey, shiftKey, altKey, metaKey }: KeyPress): boolean {
  if (code === "F11") return true;
  if (code === "Insert") return shiftKey && !ctrlKey && !altKey && !metaKey;
  // Plain Ctrl+V belongs to the application at the other end, whose clipboard is its own.
  return code === "KeyV" && !altKey && ((ctrlKey && shiftKey) || metaKey);
}

/** Return whether this is Ctrl+Alt+Shift+S, which shows and hides the statistics. */
export function isStatisticsShortcut({ code, ctrlKey, shiftKey, altKey, metaKey }: KeyPress): boolean {
  return code === "KeyS" && ctrlKey && altKey && shiftKey && !metaKey;
}

function pressed(event: KeyboardEvent, characters: CharacterKeys, input: InputSender): void {
  // Input methods name their keys "Process"; what they make of them comes as a composition.
  if (!input.isEnabled || event.isComposing || event.key === "Process") return;
  if (isBrowsersOwn(event) || isStatisticsShortcut(event)) return;
  // On-screen keyboards press keys without a place; their text comes as an edit.
  if (event.code === "") return;
  const fate = characters.press(event);
  if (fate === "browser") return;
  event.preventDefault();
  if (fate === "character") input.text(event.key);
  else if (fate === "place" && !event.repeat) input.key(event.code, true);
}

function released(event: KeyboardEvent, characters: CharacterKeys, input: InputSender): void {
  if (!input.isEnabled) return;
  event.preventDefault();
  characters.flush();
  input.key(event.code, false);
  // macOS reports no release of what was pressed together with the Command key.
  if (event.code.startsWith("Meta") && platformOf(navigator.platform) === "mac") input.releaseKeys();
}

function edited(event: InputEvent, input: InputSender): void {
  if (event.isComposing || event.inputType === "insertFromPaste") return;
  event.preventDefault();
  if (event.inputType === "insertText" && event.data !== null) input.text(event.data);
  else if (event.inputType === "insertLineBreak") input.chord(["Enter"]);
  else if (event.inputType === "deleteContentBackward") input.chord(["Backspace"]);
}

function composed(event: CompositionEvent, target: HTMLTextAreaElement, input: InputSender): void {
  target.value = "";
  input.text(event.data);
}

function pasted(event: ClipboardEvent, input: InputSender): void {
  event.preventDefault();
  input.text((event.clipboardData?.getData("text/plain") ?? "").replaceAll("\r\n", "\n"));
}
