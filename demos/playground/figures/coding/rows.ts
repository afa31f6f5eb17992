/** Both codes of a picture, and the error of each, as rows over time. */
import type { Palette } from "../../draw/palette.ts";
import type { Axis, Row } from "../../draw/stack.ts";
import { type Code, type Coding, type CodingConfig, orderOf, reordered } from "../../model/coding.ts";
import { PIXELS } from "../../model/image.ts";

/** Titles of the pictures: the drawing, and what comes back from each code. */
export const PICTURES = ["Draw here", "From rates", "From first spikes"] as const;

export const axisOf = ({ timesteps }: CodingConfig): Axis => ({ steps: timesteps, dt: 1, unit: "time step" });

export function codingRows({ image, byRate, byLatency }: Coding, by: CodingConfig["order"], palette: Palette): Row[] {
  const order = orderOf(image, by);
  const [rateColor, latencyColor] = [palette.layers[0] as string, palette.layers[1] as string];
  const raster = (title: string, { spikes }: Code, color: string): Row => ({
    kind: "raster",
    title,
    height: 84,
    size: PIXELS,
    values: reordered(spikes, order),
    color,
  });
  return [
    raster("By rate: random spikes", byRate, rateColor),
    raster("By latency: the time of one spike", byLatency, latencyColor),
    {
      kind: "trace",
      title: "Error, if one stops to listen",
      height: 48,
      series: [
        { values: byRate.error, color: rateColor, width: 2, label: "rate" },
        { values: byLatency.error, color: latencyColor, width: 2, label: "latency" },
      ],
      low: 0,
      high: Math.max(0.1, ...byRate.error, ...byLatency.error),
      describe: (t) => `rate ${format(byRate.error[t])}, latency ${format(byLatency.error[t])}`,
    },
  ];
}

/** An error as it is read. */
export const format = (value: number | undefined): string => (value ?? 0).toFixed(3);
