/**
 * Where the picture lies inside its element, and which place of the picture a point of the page is.
 *
 * Pure: knows of numbers only.
 */

export interface Rectangle {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Position {
  x: number;
  y: number;
}

/** Return the content rectangle of a picture fitted into `box` as by `object-fit: contain`. */
export function contentRectangle(box: Rectangle, pictureWidth: number, pictureHeight: number): Rectangle {
  if (pictureWidth <= 0 || pictureHeight <= 0) return box;
  const scale = Math.min(box.width / pictureWidth, box.height / pictureHeight);
  const width = pictureWidth * scale;
  const height = pictureHeight * scale;
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}

/** Return the place of a point in 1/65536 of the picture; a point beside the picture counts as its nearest edge. */
export function toPosition(x: number, y: number, content: Rectangle): Position {
  return { x: share(x - content.left, content.width), y: share(y - content.top, content.height) };
}

function share(offset: number, whole: number): number {
  if (whole <= 0) return 0;
  // Upwards, because the receiver rounds down: rounded down twice, most points would end a pixel before their own.
  return Math.max(0, Math.min(65535, Math.ceil((offset / whole) * 65536)));
}
