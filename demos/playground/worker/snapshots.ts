import type { StateDict } from "jarvis-snn";

export interface Snapshot {
  readonly steps: number;
  readonly state: StateDict;
}

/** Weights along a run, evenly spaced however long it gets: when there is no room, every second one goes. */
export class Snapshots {
  readonly all: Snapshot[] = [];
  private readonly room: number;
  private stride = 1;

  constructor(room: number) {
    this.room = room;
  }

  get steps(): number[] {
    return this.all.map(({ steps }) => steps);
  }

  /** Keeps what `take` gives if it is time for a snapshot. */
  offer(steps: number, take: () => StateDict): void {
    if (steps % this.stride !== 0) return;
    if (this.all.length === this.room) {
      this.stride *= 2;
      const kept = this.all.filter((snapshot) => snapshot.steps % this.stride === 0);
      this.all.splice(0, this.all.length, ...kept);
      if (steps % this.stride !== 0) return;
    }
    this.all.push({ steps, state: take() });
  }
}
