/** The time of a product against the density of its left operand: numbers to a picture. */

/** Times of gathers as shares of the time of the dense product. */
export interface DensityCurve {
  /** The product, in words. */
  readonly product: string;
  readonly percents: readonly number[];
  /** Of ones. */
  readonly binary: readonly number[];
  /** Of other numbers. */
  readonly graded: readonly number[];
}

/** The percentage at which a gather takes as long as the dense product, on the line between two measured ones; 100 if none. */
export function crossover(percents: readonly number[], shares: readonly number[]): number {
  const i = shares.findIndex((share) => share >= 1);
  if (i < 0) return 100;
  if (i === 0) return percents[0] as number;
  const [x0, x1] = [percents[i - 1], percents[i]] as [number, number];
  const [y0, y1] = [shares[i - 1], shares[i]] as [number, number];
  return x0 + ((1 - y0) / (y1 - y0)) * (x1 - x0);
}

const [WIDTH, HEIGHT] = [720, 440];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 24, 72, 56];
/** Where the axes, both logarithmic, have their lines. */
const X_TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100];
const Y_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];

/** Between 0 and 1 from the first tick to the last. */
function position(value: number, ticks: readonly number[]): number {
  const [from, to] = [ticks[0], ticks.at(-1)] as [number, number];
  return Math.log(value / from) / Math.log(to / from);
}

const xOf = (percent: number) => (LEFT + position(percent, X_TICKS) * (WIDTH - LEFT - RIGHT)).toFixed(1);
const yOf = (share: number) => (HEIGHT - BOTTOM - position(share, Y_TICKS) * (HEIGHT - TOP - BOTTOM)).toFixed(1);

/** Reads on light and on dark ground. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #1f2328; stroke-opacity: 0.15 }
  .dense { stroke: #1f2328; stroke-dasharray: 5 4 }
  .curve { fill: none; stroke-width: 2.5 }
  .binary { stroke: #0969da }
  .graded { stroke: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .grid, .dense { stroke: #e6edf3 }
    .binary { stroke: #58a6ff }
    .graded { stroke: #f0883e }
  }`;

const KINDS = { binary: "ones (spikes)", graded: "other numbers" } as const;

/** The curve of one kind, a ring where it crosses that of the dense product, and its line of the legend. */
function drawing(kind: keyof typeof KINDS, curve: DensityCurve, row: number): string[] {
  const shares = curve[kind];
  const points = curve.percents.map((percent, i) => `${xOf(percent)},${yOf(shares[i] as number)}`);
  const crossing = crossover(curve.percents, shares);
  const [x, y] = [WIDTH - RIGHT - 330, HEIGHT - BOTTOM - 50 + 24 * row];
  return [
    `<polyline class="curve ${kind}" points="${points.join(" ")}"/>`,
    `<circle class="curve ${kind}" cx="${xOf(crossing)}" cy="${yOf(1)}" r="6"/>`,
    `<line class="curve ${kind}" x1="${x}" x2="${x + 28}" y1="${y}" y2="${y}"/>`,
    `<text x="${x + 38}" y="${y + 4}">${KINDS[kind]}: as long as dense at ${crossing.toFixed(0)} %</text>`,
  ];
}

/** docs/density.svg. */
export function densitySvg(curve: DensityCurve): string {
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const vertical = X_TICKS.flatMap((percent) => [
    `<line class="grid" x1="${xOf(percent)}" x2="${xOf(percent)}" y1="${TOP}" y2="${bottom}"/>`,
    `<text x="${xOf(percent)}" y="${bottom + 20}" text-anchor="middle">${percent} %</text>`,
  ]);
  const horizontal = Y_TICKS.flatMap((share) => [
    `<line class="${share === 1 ? "dense" : "grid"}" x1="${LEFT}" x2="${right}" y1="${yOf(share)}" y2="${yOf(share)}"/>`,
    `<text x="${LEFT - 8}" y="${yOf(share)}" dy="4" text-anchor="end">${share}</text>`,
  ]);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">`,
    `<style>${STYLE}\n</style>`,
    `<text class="title" id="title" x="${LEFT}" y="28">Time of a product against the density of its input (dense = 1)</text>`,
    `<text x="${LEFT}" y="50">${curve.product}</text>`,
    ...vertical,
    `<text x="${(LEFT + right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">share of values that are not zero</text>`,
    ...horizontal,
    `<text x="${LEFT + 8}" y="${yOf(1)}" dy="-6">dense product</text>`,
    ...drawing("binary", curve, 0),
    ...drawing("graded", curve, 1),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}
