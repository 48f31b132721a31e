import { describe, expect, test } from "vitest";
import { contentRectangle, toPosition } from "../../src/input/geometry";

describe("contentRectangle", () => {
  test.each([
    ["a wide picture in a square has bars above and below", [0, 0, 100, 100], [200, 100], [0, 25, 100, 50]],
    ["a tall picture in a square has bars at its sides", [0, 0, 100, 100], [100, 200], [25, 0, 50, 100]],
    ["a small picture is enlarged", [10, 20, 640, 360], [320, 180], [10, 20, 640, 360]],
    ["before the first frame the whole box counts", [10, 20, 30, 40], [0, 0], [10, 20, 30, 40]],
  ])("%s", (_claim, box, [width, height], expected) => {
    const [left, top, boxWidth, boxHeight] = box as [number, number, number, number];

    const content = contentRectangle({ left, top, width: boxWidth, height: boxHeight }, width ?? 0, height ?? 0);

    expect([content.left, content.top, content.width, content.height]).toEqual(expected);
  });
});

describe("toPosition", () => {
  const content = { left: 100, top: 50, width: 640, height: 360 };

  test.each([
    ["the left top corner is zero", 100, 50, 0, 0],
    ["the right bottom corner does not overflow", 740, 410, 65535, 65535],
    ["the middle is the middle", 420, 230, 32768, 32768],
    ["a point beside the picture is at its nearest edge", 0, 1000, 0, 65535],
    ["a fraction of a pixel counts", 100.5, 50, 52, 0],
  ])("%s", (_claim, x, y, expectedX, expectedY) => {
    expect(toPosition(x, y, content)).toEqual({ x: expectedX, y: expectedY });
  });

  test("every pixel is its own again when the receiver rounds down", () => {
    const pixels = Array.from({ length: content.height }, (_, pixel) => pixel);

    const received = pixels.map((pixel) => Math.floor((toPosition(0, content.top + pixel, content).y * 360) / 65536));

    expect(received).toEqual(pixels);
  });

  test("an element without a size has one place", () => {
    expect(toPosition(5, 5, { left: 0, top: 0, width: 0, height: 0 })).toEqual({ x: 0, y: 0 });
  });
});
