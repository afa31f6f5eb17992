/** Recordings as samples of a network: a slice of time is a step. */
import { constantEncode, type Dataset, rand, type Tensor } from "jarvis-snn";
import { type EventRecording, toFrames } from "jarvis-snn/events";
import type { Recordings } from "../recordings.ts";

/** Slices of recordings. */
export interface Slicing {
  /** Microseconds of a slice. */
  binUs: number;
  /** Slices of a recording, from its begin on; events behind them are left out. */
  bins: number;
}

/**
 * How a network sees the slices of a sample. "ordered": in the order of time. "shuffled": in an order that is drawn anew for each sample of
 * a batch. "summed": the mean of the slices in every step.
 */
export const VIEWS = ["ordered", "shuffled", "summed"] as const;
export type View = (typeof VIEWS)[number];

/** A dataset of batches [T, B, 2, H, W] of recordings. Orders of shuffled slices come from the default generator. */
export function samplesOf(recordings: Recordings, slicing: Slicing, view: View): Dataset<Int32Array> {
  if (view === "ordered") return recordings.spikes(slicing);
  if (view === "shuffled") {
    return recordings.spikes({ ...slicing, transform: (events) => shuffled(events, slicing) });
  }
  const { binUs, bins } = slicing;
  const duration = bins * binUs;
  return {
    length: recordings.length,
    batch(indices) {
      const chosen = indices.map((i) => recordings.get(i));
      const [sum] = toFrames(chosen, { timeWindow: duration, startTime: 0, endTime: duration }).unbind(0) as [Tensor];
      const y = Int32Array.from(indices, (i) => recordings.labels[i] as number);
      return { x: constantEncode(sum.div(bins), { timesteps: bins }), y };
    },
  };
}

/** The same events, with slices in a random order. */
function shuffled(events: EventRecording, { binUs, bins }: Slicing): EventRecording {
  const slices = Array.from({ length: bins }, (): number[] => []);
  for (let i = 0; i < events.t.length; i++) slices[Math.floor((events.t[i] as number) / binUs)]?.push(i);
  const keys = rand([bins]).toFloat32Array();
  const order = Array.from(keys.keys()).sort((a, b) => (keys[a] as number) - (keys[b] as number));
  const moved = eventsAt(events, Uint32Array.from(order.flatMap((slice) => slices[slice] as number[])));
  let k = 0;
  for (const [place, slice] of order.entries()) {
    const later = (place - slice) * binUs;
    const end = k + (slices[slice] as number[]).length;
    for (; k < end; k++) moved.t[k] = (moved.t[k] as number) + later;
  }
  return moved;
}

/** The first event of each slice, pixel and polarity. The spikes of the slices depend on these events alone, mostly far fewer than all. */
export function firstOfSlices(events: EventRecording, { binUs, bins }: Slicing): EventRecording {
  const { t, x, y, p, width, height } = events;
  const known = new Uint8Array(bins * 2 * height * width);
  const kept = Uint32Array.from(t.keys()).filter((i) => {
    const slice = Math.floor((t[i] as number) / binUs);
    if (slice >= bins) return false;
    const at = ((2 * slice + (p[i] as number)) * height + (y[i] as number)) * width + (x[i] as number);
    const isFirst = known[at] === 0;
    known[at] = 1;
    return isFirst;
  });
  return eventsAt(events, kept);
}

/** The events with these indices. */
function eventsAt({ t, x, y, p, width, height }: EventRecording, indices: Uint32Array): EventRecording {
  const n = indices.length;
  const kept = { t: new Float64Array(n), x: new Uint16Array(n), y: new Uint16Array(n), p: new Uint8Array(n) };
  for (let k = 0; k < n; k++) {
    const i = indices[k] as number;
    kept.t[k] = t[i] as number;
    kept.x[k] = x[i] as number;
    kept.y[k] = y[i] as number;
    kept.p[k] = p[i] as number;
  }
  return { ...kept, width, height };
}
