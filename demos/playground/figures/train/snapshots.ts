import type { StateDict } from "jarvis-snn";
import { strideAt } from "../../model/history.ts";

export interface Snapshot {
  readonly steps: number;
  readonly state: StateDict;
}

/** Snapshots of each octave of steps. */
const PER_OCTAVE = 4;

/** Weights along a run: of each of its first steps, then ever further apart, so that early and late ones are there. */
export class Snapshots {
  readonly all: Snapshot[] = [];

  get steps(): number[] {
    return this.all.map(({ steps }) => steps);
  }

  /** Keeps the weights of the step at which a run begins, and of the steps that are due; whether it did. */
  offer(steps: number, take: () => StateDict): boolean {
    const due = this.all.length === 0 || steps % strideAt(steps, PER_OCTAVE) === 0;
    if (due) this.all.push({ steps, state: take() });
    return due;
  }
}
