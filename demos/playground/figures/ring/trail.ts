/** The spikes of the last seconds, in cells of a direction and a few milliseconds. */

/** Milliseconds from the rim to the middle, and of a cell. */
export const SHOWN_MS = 3000;
export const CELL_MS = 15;
const CELLS = SHOWN_MS / CELL_MS + 1;
/** Directions that are shown; larger rings show one in some. */
const DIRECTIONS = 128;

export class Trail {
  /** Directions of a trail. */
  readonly count: number;
  private readonly size: number;
  private readonly stride: number;
  /** 1 for a cell with a spike, [CELLS, count] in a ring buffer. */
  private readonly cells: Uint8Array;
  private last = 0;

  /** Of two rings of so many neurons each. */
  constructor(size: number) {
    this.size = size;
    this.stride = Math.max(1, size / DIRECTIONS);
    this.count = size / this.stride;
    this.cells = new Uint8Array(CELLS * this.count);
  }

  /** Forgets cells that are older than the buffer. */
  reach(time: number): void {
    const cell = Math.floor(time / CELL_MS);
    for (let c = Math.max(this.last + 1, cell - CELLS + 1); c <= cell; c++) {
      const row = (c % CELLS) * this.count;
      this.cells.fill(0, row, row + this.count);
    }
    this.last = Math.max(this.last, cell);
  }

  /** A spike of a neuron of both rings, at a time that the trail has reached. */
  readonly add = (time: number, neuron: number): void => {
    const k = neuron % this.size;
    if (k % this.stride !== 0) return;
    this.reach(time);
    this.cells[(Math.floor(time / CELL_MS) % CELLS) * this.count + k / this.stride] = 1;
  };

  /** Calls for each run of cells with spikes of a direction, with the times of its ends, between two ages in ms. */
  runs(now: number, young: number, old: number, call: (direction: number, from: number, to: number) => void): void {
    const first = Math.max(0, this.last - CELLS + 1, Math.ceil((now - old) / CELL_MS));
    const end = Math.min(this.last + 1, Math.ceil((now - young) / CELL_MS));
    const { cells, count } = this;
    for (let k = 0; k < count; k++) {
      let begin = -1;
      for (let c = first; c <= end; c++) {
        const isOn = c < end && cells[(c % CELLS) * count + k] === 1;
        if (isOn && begin < 0) begin = c;
        else if (!isOn && begin >= 0) {
          call(k, begin * CELL_MS, c * CELL_MS);
          begin = -1;
        }
      }
    }
  }
}
