/** Five codes of a picture, and the error of each, as rows over time. */
import { count } from "../../draw/numbers.ts";
import type { Palette } from "../../draw/palette.ts";
import type { Axis, Row } from "../../draw/stack.ts";
import { CODES, type CodeName, type Coding, type CodingConfig, orderOf, reordered } from "../../model/coding.ts";
import { PIXELS } from "../../model/image.ts";

/** Titles of the pictures: the drawing, and what each code gives back. */
export const DRAWING = "Draw here";
export const TITLES: Readonly<Record<CodeName, string>> = {
  rate: "Rate",
  latency: "Latency",
  phase: "Phase",
  burst: "Burst",
  delta: "Delta",
};

export const axisOf = ({ timesteps }: CodingConfig): Axis => ({ steps: timesteps, dt: 1, unit: "time step" });

/** Pictures stand in one line, with taller rasters below them, where there is this much room. */
export const WIDE = 600;

const colorsOf = ({ layers, classes }: Palette): readonly string[] => [...layers, ...classes];

export function codingRows(
  { image, codes }: Coding,
  by: CodingConfig["order"],
  palette: Palette,
  wide: boolean,
): Row[] {
  const order = orderOf(image, by);
  const colors = colorsOf(palette);
  const highest = Math.max(0.1, ...CODES.flatMap((name) => [...codes[name].error]));
  return [
    ...CODES.map(
      (name, i): Row => ({
        kind: "raster",
        title: TITLES[name],
        height: wide ? 40 : 26,
        size: PIXELS,
        values: reordered(codes[name].spikes, order),
        color: colors[i] as string,
      }),
    ),
    {
      kind: "trace",
      title: "Error after each step",
      height: wide ? 64 : 38,
      series: CODES.map((name, i) => ({
        values: codes[name].error,
        color: colors[i] as string,
        width: 2,
        label: name,
      })),
      swatch: palette.muted,
      low: 0,
      high: highest,
      describe: (t) => {
        const nearest = CODES.reduce((a, b) => ((codes[b].error[t] as number) < (codes[a].error[t] as number) ? b : a));
        return `${nearest} is nearest, ${format(codes[nearest].error[t])}`;
      },
    },
  ];
}

/** An error as it is read. */
const format = (value: number | undefined): string => (value ?? 0).toFixed(3);

/** Spikes of a code and its error up to a step, as they stand below its picture. */
export function readingsOf(
  { codes }: Coding,
  name: CodeName,
  t: number,
): { readonly spikes: string; readonly error: string } {
  const { counts, error } = codes[name];
  return { spikes: count(counts[t] as number), error: format(error[t]) };
}
