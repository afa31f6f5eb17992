/** How the time of a step grows with sizes of a network and with threads: numbers to pictures. */

/** Milliseconds of a step, by who takes it, at each value of what grows. */
export interface Growth {
  readonly values: readonly number[];
  readonly curves: Readonly<Record<string, readonly number[]>>;
}

/** The names of what grows, in the words of an axis. */
const AXES = {
  T: "time steps",
  batch: "samples of a batch",
  width: "neurons of both layers",
  density: "percent of the inputs that spike in a step",
  threads: "threads",
} as const;

export type Axis = keyof typeof AXES;

/** A curve for each of those who took part, by their names, from their milliseconds at each value. */
export function growthOf(values: readonly number[], times: readonly Readonly<Record<string, number>>[]): Growth {
  const curves: Record<string, number[]> = {};
  for (const [name, ms] of times.flatMap((each) => Object.entries(each))) {
    curves[name] ??= [];
    curves[name].push(ms);
  }
  return { values, curves };
}

/** The file of the picture of an axis, in docs/. */
const fileOf = (axis: Axis): string => `growth-${axis.toLowerCase()}.svg`;

type Plot = typeof import("jarvis-snn/plot").curvePlot;

/** The pictures of what was measured, by their files: both axes are logarithmic, so that a power is a line. */
export async function growthPlots(
  growth: Readonly<Record<string, Growth>>,
  plot: Plot,
): Promise<Record<string, string>> {
  const drawn: Record<string, string> = {};
  for (const axis of Object.keys(AXES) as Axis[]) {
    const { values, curves } = growth[axis] ?? { values: [], curves: {} };
    const lines = Object.entries(curves).map(([name, y]) => [name, { x: values, y }]);
    if (lines.length === 0) continue;
    const title = `Time of a step against ${AXES[axis]}`;
    const look = { title, xLabel: AXES[axis], yLabel: "milliseconds of a step", log: true, logX: true, points: true };
    drawn[fileOf(axis)] = await plot(Object.fromEntries(lines), look);
  }
  return drawn;
}

/** Times that were measured, with the machine of the run. */
export interface Grown {
  readonly machine: string;
  readonly node: string;
  readonly date: string;
  readonly axes: Readonly<Record<string, Growth>>;
}

/** The pictures as docs/benchmarks.md shows them. */
export function growthBlock(grown: Grown | undefined): string {
  if (grown === undefined) return "Not measured yet.";
  const { machine, node, date, axes } = grown;
  const images = (Object.keys(AXES) as Axis[])
    .filter((axis) => axis in axes)
    .map((axis) => `<img src="${fileOf(axis)}" alt="Milliseconds of a step against ${AXES[axis]}" width="720">`);
  return [`${machine}, Node ${node}, ${date}.`, ...images].join("\n\n");
}
