/** A picture of a recording. */
import type { EventRecording } from "jarvis-snn/events";
import { SIDE } from "./camera.ts";

type Plot = typeof import("jarvis-snn/plot");

/** Intervals in ms whose events are drawn: around the middle of each saccade, where the digit is fastest. */
const SHOWN = [
  [45, 55],
  [145, 155],
  [245, 255],
] as const;

/** Panels side by side, one for each saccade, with the pixels of the events of either polarity during ten milliseconds. */
export async function eventsRow(plot: Plot, recording: EventRecording): Promise<string> {
  const charts = SHOWN.map(([from, to]) => {
    const options = { width: 306, height: 300, xLabel: "x", yLabel: "33 − y", points: true };
    const curves = { OFF: pointsOf(recording, 0, from, to), ON: pointsOf(recording, 1, from, to) };
    return plot.curvePlot(curves, { ...options, title: `Events, ${from} … ${to} ms` });
  });
  return plot.sheet(await Promise.all(charts), { columns: SHOWN.length, title: "Events of each saccade" });
}

/** The pixels of events, with a gap behind each of them, so that no line joins points. */
function pointsOf({ t, x, y, p }: EventRecording, polarity: number, from: number, to: number) {
  const chosen = Array.from(t.keys()).filter((i) => {
    const time = (t[i] as number) / 1000;
    return time >= from && time < to && p[i] === polarity;
  });
  return {
    x: chosen.flatMap((i) => [x[i] as number, x[i] as number]),
    y: chosen.flatMap((i) => [SIDE - 1 - (y[i] as number), Number.NaN]),
  };
}
