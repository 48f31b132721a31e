/**
 * Tells the keys that choose a character on the viewer's keyboard from those that make a command: AltGr, and the right
 * Option key of macOS.
 *
 * Keys travel by their place, but what such a key makes is on the viewer's layout alone: `@` and `€` travel as text. The
 * choosing key itself stays with the page: at the other end it may be a plain Alt. While Control, the left Alt or the
 * Command key is held, it is a key as any other, so that Control and the right Alt pressed by hand still are a shortcut.
 */

import type { KeyPress } from "./keyboard";

export type Platform = "windows" | "mac" | "other";

/** What decides whether a key press makes a character. */
export interface Press extends KeyPress {
  key: string;
  repeat: boolean;
  getModifierState(modifier: string): boolean;
}

/** Whose a key press is: the server's, by its place or by its character; the page's; or the browser's to compose with. */
export type Fate = "place" | "character" | "page" | "browser";

/** The part of the input that this needs. */
export interface Keys {
  readonly isCommanding: boolean;
  key(code: string, isDown: boolean): void;
}

// Windows presses Control right before the AltGr of its own making; both come from one message queue, so that the second
// is a few milliseconds behind the first. Nobody misses so little of a Control key that is pressed alone.
const HELD_BACK_MS = 30;
const CONTROL = "ControlLeft";

/** Return the platform that `navigator.platform` names. */
export function platformOf(name: string): Platform {
  if (name.startsWith("Win")) return "windows";
  return name.startsWith("Mac") ? "mac" : "other";
}

export class CharacterKeys {
  readonly #keys: Keys;
  readonly #platform: Platform;
  #heldBack: ReturnType<typeof setTimeout> | undefined;
  #hasAccent = false;

  constructor(keys: Keys, platform: Platform) {
    this.#keys = keys;
    this.#platform = platform;
  }

  /** Return whose a key press is. */
  press(event: Press): Fate {
    const isChoosing = this.#isChoosingKey(event);
    if (isChoosing) this.forget();
    else this.flush();
    if (this.#platform === "windows" && event.code === CONTROL && !event.repeat) return this.#holdBack();
    if (this.#keys.isCommanding) return "place";
    if (isChoosing) return "page";
    return this.#fateOfCharacter(event);
  }

  /** Press the Control key that was held back: it is one of its own. Call before whatever follows it. */
  flush(): void {
    if (this.#heldBack === undefined) return;
    this.forget();
    this.#keys.key(CONTROL, true);
  }

  /** Forget what was held back: the focus is lost, or it was none of its own. */
  forget(): void {
    clearTimeout(this.#heldBack);
    this.#heldBack = undefined;
  }

  #isChoosingKey({ key, code }: Press): boolean {
    return key === "AltGraph" || (this.#platform === "mac" && code === "AltRight");
  }

  #holdBack(): Fate {
    this.#heldBack = setTimeout(() => this.flush(), HELD_BACK_MS);
    return "page";
  }

  #fateOfCharacter(event: Press): Fate {
    // On macOS the left Option key would be commanding.
    const isChosen = this.#platform === "mac" ? event.altKey : event.getModifierState("AltGraph");
    if (isChosen && event.key === "Dead") {
      this.#hasAccent = true;
      return "browser";
    }
    if ([...event.key].length !== 1) return "place";
    // The character after an accent carries it, unless the browser makes a composition of both.
    const isText = isChosen || this.#hasAccent;
    this.#hasAccent = false;
    return isText ? "character" : "place";
  }
}
