/** The picture of the demo: accuracy against operations. */
import { WIDE } from "../drawing.ts";

type Plot = typeof import("jarvis-snn/plot");

/** A training as a point of the picture. */
export interface Point {
  /** The budget; its first word names the curve. */
  readonly name: string;
  readonly accuracy: number;
  /** Effective operations of an image. */
  readonly operations: number;
}

/**
 * Accuracy beyond that of the training without a budget, which is the first point, in points of percent, against operations: a curve
 * for each way to fewer operations.
 */
export function pictureOf(plot: Plot, points: readonly [Point, ...Point[]], measure: string): Promise<string> {
  const [first] = points;
  const curve = (way: string) => {
    const own = points.filter(({ name }) => name === first.name || name.startsWith(way));
    const sorted = own.sort((a, b) => a.operations - b.operations);
    return {
      x: sorted.map(({ operations }) => operations / 1000),
      y: sorted.map(({ accuracy }) => 100 * (accuracy - first.accuracy)),
    };
  };
  const curves = { "a cost of operations": curve("activity"), pruning: curve("pruning"), both: curve("both") };
  return plot.curvePlot(curves, {
    ...{ ...WIDE, height: 320, points: true },
    title: `Accuracy on ${measure} images against operations; without a budget ${(100 * first.accuracy).toFixed(2)} %`,
    xLabel: "effective operations of an image, thousands",
    yLabel: "points of accuracy",
  });
}
