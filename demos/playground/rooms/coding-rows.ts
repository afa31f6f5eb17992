/** Both codes of a picture, and the error of each, as rows over time. */
import type { Row } from "../draw/stack.ts";
import type { Theme } from "../draw/theme.ts";
import { type Code, type Coding, type CodingConfig, orderOf, reordered } from "../model/coding.ts";
import { PIXELS } from "../model/image.ts";

export function codingRows({ image, byRate, byLatency }: Coding, by: CodingConfig["order"], theme: Theme): Row[] {
  const order = orderOf(image, by);
  const [rateColor, latencyColor] = [theme.layers[0] as string, theme.layers[1] as string];
  const raster = (title: string, { spikes }: Code, color: string): Row => ({
    kind: "raster",
    title,
    height: 168,
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
      height: 96,
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

/** An error as rooms write it. */
export const format = (value: number | undefined): string => (value ?? 0).toFixed(3);
