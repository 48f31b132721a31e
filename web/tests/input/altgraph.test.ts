import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CharacterKeys, type Fate, type Platform, type Press, platformOf } from "../../src/input/altgraph";

/** A keyboard: what is down at the server, and what became of each press. */
class Keyboard {
  readonly down = new Set<string>();
  readonly history: string[] = [];
  readonly characters: CharacterKeys;

  constructor(platform: Platform) {
    const keyboard = this;
    const keys = {
      get isCommanding() {
        return ["ControlLeft", "AltLeft"].some((code) => keyboard.down.has(code));
      },
      key: (code: string, isDown: boolean) => this.#set(code, isDown),
    };
    this.characters = new CharacterKeys(keys, platform);
  }

  press(code: string, key: string, modifiers: Partial<Press> = {}, states: string[] = []): Fate {
    const none = { ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, repeat: false };
    const getModifierState = (modifier: string) => states.includes(modifier);
    const fate = this.characters.press({ ...none, ...modifiers, code, key, getModifierState });
    if (fate === "place" && !modifiers.repeat) this.#set(code, true);
    return fate;
  }

  release(code: string): void {
    this.characters.flush();
    this.#set(code, false);
  }

  #set(code: string, isDown: boolean): void {
    if (this.down.has(code) === isDown) return;
    if (isDown) this.down.add(code);
    else this.down.delete(code);
    this.history.push(`${isDown ? "+" : "-"}${code}`);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("AltGr on Windows", () => {
  test("presses no Control key at the server, and what it chooses is a character", () => {
    const keyboard = new Keyboard("windows");

    keyboard.press("ControlLeft", "Control", { ctrlKey: true });
    keyboard.press("AltRight", "AltGraph", {}, ["AltGraph"]);
    vi.advanceTimersByTime(1000);
    const fate = keyboard.press("KeyQ", "@", {}, ["AltGraph"]);
    keyboard.release("KeyQ");
    keyboard.release("ControlLeft");
    keyboard.release("AltRight");

    expect(fate).toBe("character");
    expect(keyboard.history).toEqual([]);
  });

  test("repeats its character while it is held, though it repeats its Control key, too", () => {
    const keyboard = new Keyboard("windows");
    keyboard.press("ControlLeft", "Control", { ctrlKey: true });
    keyboard.press("AltRight", "AltGraph", {}, ["AltGraph"]);
    keyboard.press("ControlLeft", "Control", { ctrlKey: true, repeat: true }, ["AltGraph"]);
    keyboard.press("AltRight", "AltGraph", { repeat: true }, ["AltGraph"]);

    expect(keyboard.press("KeyE", "€", { repeat: true }, ["AltGraph"])).toBe("character");
    expect(keyboard.history).toEqual([]);
  });

  test("is a shortcut together with a Control key that was pressed by hand", () => {
    const keyboard = new Keyboard("windows");
    keyboard.press("ControlLeft", "Control", { ctrlKey: true });
    vi.advanceTimersByTime(200);
    keyboard.press("ControlLeft", "Control", { ctrlKey: true, repeat: true });

    keyboard.press("AltRight", "AltGraph", {}, ["AltGraph"]);
    keyboard.press("KeyQ", "@", {}, ["AltGraph"]);

    expect(keyboard.history).toEqual(["+ControlLeft", "+AltRight", "+KeyQ"]);
  });
});

describe("the Control key on Windows", () => {
  test.each([
    ["by the next key", (keyboard: Keyboard) => keyboard.press("KeyC", "c", { ctrlKey: true }), "+KeyC"],
    ["by its own release", (keyboard: Keyboard) => keyboard.release("ControlLeft"), "-ControlLeft"],
  ])("is pressed at the latest %s", (_, act, then) => {
    const keyboard = new Keyboard("windows");
    keyboard.press("ControlLeft", "Control", { ctrlKey: true });

    act(keyboard);

    expect(keyboard.history).toEqual(["+ControlLeft", then]);
  });

  test("is pressed after a moment when it is alone", () => {
    const keyboard = new Keyboard("windows");
    keyboard.press("ControlLeft", "Control", { ctrlKey: true });

    vi.advanceTimersByTime(50);

    expect(keyboard.history).toEqual(["+ControlLeft"]);
  });

  test("is not pressed any more when the focus is lost", () => {
    const keyboard = new Keyboard("windows");
    keyboard.press("ControlLeft", "Control", { ctrlKey: true });

    keyboard.characters.forget();
    vi.advanceTimersByTime(1000);

    expect(keyboard.history).toEqual([]);
  });
});

test("the Control key is pressed at once elsewhere", () => {
  expect(new Keyboard("other").press("ControlLeft", "Control", { ctrlKey: true })).toBe("place");
});

test("AltGr on Linux chooses a character, and a key without one goes by its place", () => {
  const keyboard = new Keyboard("other");

  expect(keyboard.press("AltRight", "AltGraph", {}, ["AltGraph"])).toBe("page");
  expect(keyboard.press("KeyQ", "@", {}, ["AltGraph"])).toBe("character");
  expect(keyboard.press("Backspace", "Backspace", {}, ["AltGraph"])).toBe("place");
});

test("the right Alt key of a layout without AltGr is a key as any other", () => {
  const keyboard = new Keyboard("other");

  expect(keyboard.press("AltRight", "Alt", { altKey: true })).toBe("place");
  expect(keyboard.press("KeyQ", "q", { altKey: true })).toBe("place");
});

test("the accent of an AltGr key is the browser's, and what it lands on is a character", () => {
  const keyboard = new Keyboard("windows");
  keyboard.press("ControlLeft", "Control", { ctrlKey: true });
  keyboard.press("AltRight", "AltGraph", {}, ["AltGraph"]);

  expect(keyboard.press("Digit2", "Dead", {}, ["AltGraph"])).toBe("browser");
  keyboard.release("AltRight");
  expect(keyboard.press("KeyN", "ñ")).toBe("character");
  expect(keyboard.press("KeyN", "n")).toBe("place");
});

test("the right Option key of macOS chooses a character, and the left one is Alt", () => {
  const keyboard = new Keyboard("mac");

  expect(keyboard.press("AltRight", "Alt", { altKey: true })).toBe("page");
  expect(keyboard.press("KeyL", "@", { altKey: true })).toBe("character");
  keyboard.release("AltRight");
  expect(keyboard.press("AltLeft", "Alt", { altKey: true })).toBe("place");
  expect(keyboard.press("KeyL", "@", { altKey: true })).toBe("place");
});

test.each([
  ["Win32", "windows"],
  ["MacIntel", "mac"],
  ["Linux x86_64", "other"],
  ["", "other"],
])("%s is the platform %s", (name, platform) => {
  expect(platformOf(name)).toBe(platform);
});
