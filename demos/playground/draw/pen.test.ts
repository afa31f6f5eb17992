import { expect, test } from "vitest";
import { CanvasPen, PlacedPen } from "./pen.ts";

/** Rectangles in device pixels that a canvas of this ratio fills. */
function filled(ratio: number, paint: (pen: CanvasPen) => void): number[][] {
  const rectangles: number[][] = [];
  const context = {
    fillStyle: "",
    setTransform() {},
    fillRect: (...box: number[]) => void rectangles.push(box.map((value) => value * ratio)),
  };
  paint(new CanvasPen(context as unknown as CanvasRenderingContext2D, ratio));
  return rectangles;
}

test.each([1, 1.5, 2])("ticks have one width and whole edges at the ratio %d, wherever they stand", (ratio) => {
  const places = Array.from({ length: 97 }, (_, i) => i * 7.31);
  const ticks = places.flatMap((x) => [x - 0.75, 3.3, 1.5, 9.4]);
  const painters = [
    (pen: CanvasPen) => pen.boxes(ticks, "#000", true),
    (pen: CanvasPen) => new PlacedPen(pen, 0.4, 1.7, 0.9).boxes(ticks, "#000", true),
  ];
  for (const paint of painters) {
    const boxes = filled(ratio, paint);
    expect(boxes).toHaveLength(places.length);
    const [, , width = 0] = boxes[0] ?? [];
    expect(width).toBeGreaterThanOrEqual(1);
    for (const [x, y, w, h] of boxes as [number, number, number, number][]) {
      for (const edge of [x, y, w, h]) expect(edge).toBeCloseTo(Math.round(edge), 6);
      expect(w).toBeCloseTo(width, 6);
    }
    if (paint !== painters[0]) continue;
    for (const [i, [x = 0]] of boxes.entries())
      expect(Math.abs(x - ((places[i] as number) - 0.75) * ratio), "its place").toBeLessThanOrEqual(0.5 + 1e-5);
  }
});
