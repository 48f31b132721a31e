import { expect, test } from "vitest";
import { isBrowsersOwn, isStatisticsShortcut, type KeyPress } from "../../src/input/keyboard";

function press(combination: string): KeyPress {
  const names = combination.split("+");
  return {
    code: names.at(-1) ?? "",
    ctrlKey: names.includes("Ctrl"),
    shiftKey: names.includes("Shift"),
    altKey: names.includes("Alt"),
    metaKey: names.includes("Meta"),
  };
}

test.each(["F11", "Ctrl+Shift+KeyV", "Meta+KeyV", "Shift+Insert"])("%s stays with the browser", (combination) => {
  expect(isBrowsersOwn(press(combination))).toBe(true);
});

test.each(["KeyV", "Ctrl+KeyV", "Ctrl+Alt+Shift+KeyV", "Insert", "Ctrl+Insert", "F12", "Ctrl+KeyC", "Tab"])(
  "%s goes to the server",
  (combination) => {
    expect(isBrowsersOwn(press(combination))).toBe(false);
  },
);

test("the statistics have their shortcut to themselves", () => {
  expect(isStatisticsShortcut(press("Ctrl+Alt+Shift+KeyS"))).toBe(true);
  expect(isStatisticsShortcut(press("Ctrl+Alt+KeyS"))).toBe(false);
});
