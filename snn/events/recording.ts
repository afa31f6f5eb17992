/** Recordings of event cameras as sorted columns, and the columns while a reader fills them. */

/** Changes of brightness that an event camera has seen, in the order of time. */
export interface EventRecording {
  /** Times in whole microseconds; none is smaller than the one before it. */
  readonly t: Float64Array;
  /** Columns of the pixels, from the left, in [0, width). */
  readonly x: Uint16Array;
  /** Rows of the pixels, from the top, in [0, height). */
  readonly y: Uint16Array;
  /** Polarities: 1 where the pixel became brighter (ON), 0 where it became darker (OFF). */
  readonly p: Uint8Array;
  /** Pixels of a row of the sensor. */
  readonly width: number;
  /** Rows of the sensor. */
  readonly height: number;
}

/** A recording, or a part of one, as it came out of a file. */
export interface ReadRecording extends EventRecording {
  /**
   * Events, words and packets of the file, or of this part of it, that were left out: damaged ones, which only `recover` allows,
   * and events of a camera's stream before its first time stamp.
   */
  readonly dropped: number;
}

/** Spike trains with their labels. */
export interface SpikeRecordings {
  /** The number of recordings. */
  readonly length: number;
  /** The class of each recording. */
  readonly labels: Uint16Array;
  /** The names of classes, by label, where the file names classes. */
  readonly keys: readonly string[];
  /** The speaker of each recording, where the file names speakers. */
  readonly speakers: Uint16Array | null;
  /**
   * Reads a recording: `x` is the channel in [0, 700), `y` is 0 and `p` is 1.
   *
   * @throws RangeError for an index without recording, and for damage; Error after `close`.
   */
  get(index: number): EventRecording;
  /** Frees the memory of the file. */
  close(): void;
}

/** Columns that grow, and the sensor that their events must lie on. */
export class EventColumns {
  t = new Float64Array(0);
  x = new Uint16Array(0);
  y = new Uint16Array(0);
  p = new Uint8Array(0);
  /** Events in the columns. */
  length = 0;
  /** The size of the sensor; 0 while it is not known. */
  width: number;
  height: number;
  dropped = 0;
  readonly where: string;
  readonly recover: boolean;
  /** The package whose times a reader gives where packages differ. */
  readonly numerics: "expelliarmus" | null;
  /** The time of the last event that was taken. */
  newest = -Infinity;
  private seenWidth = 0;
  private seenHeight = 0;

  constructor(where: string, recover: boolean, width: number, height: number, numerics: "expelliarmus" | null = null) {
    this.numerics = numerics;
    this.where = where;
    this.recover = recover;
    this.width = width;
    this.height = height;
  }

  /** Takes the size that a file names, unless the caller has given one. */
  sensor(width: number, height: number): void {
    if (!(width > 0 && height > 0 && width <= 65_536 && height <= 65_536)) return;
    this.width ||= width;
    this.height ||= height;
  }

  /** Makes room for `more` events. Columns that are empty get exactly this room. */
  reserve(more: number): void {
    const need = this.length + Math.ceil(more);
    if (need <= this.t.length) return;
    const room = this.length === 0 ? need : Math.max(need, 2 * this.t.length);
    this.t = grown(this.t, new Float64Array(room), this.length);
    this.x = grown(this.x, new Uint16Array(room), this.length);
    this.y = grown(this.y, new Uint16Array(room), this.length);
    this.p = grown(this.p, new Uint8Array(room), this.length);
  }

  /**
   * Counts a piece of the file at this byte as dropped.
   *
   * @throws RangeError unless damage is to be recovered from.
   */
  damaged(at: number, expected: string, got: string | number): void {
    if (!this.recover) {
      throw new RangeError(
        `${this.where}: expected ${expected}, got ${got} at byte ${at}; recover: true leaves it out`,
      );
    }
    this.dropped++;
  }

  /** Counts an event off the sensor as dropped, or throws, as {@link damaged}. */
  outside(at: number, x: number, y: number): void {
    const size = this.width > 0 ? `${this.width} × ${this.height}` : "any camera";
    this.damaged(at, `a pixel of a sensor of ${size}`, `x ${x}, y ${y}`);
  }

  /** Counts an event that is earlier than the one before it as dropped, or throws, as {@link damaged}. */
  backwards(at: number, time: number, before: number): void {
    this.damaged(at, `a time from ${before} µs on`, `${time} µs`);
  }

  /**
   * Removes the fewest events after which no time is smaller than the one before it, none smaller than the newest of earlier parts. Returns
   * how many of the first `n` events stay. Only readers that recover from damage put events of any time into the columns, and call this
   * method at the end of a part.
   */
  order(n = this.length): number {
    const { t, x, y, p } = this;
    const kept = longestOrderly(t, this.length, this.newest);
    if (kept === null) return n;
    let first = 0;
    kept.forEach((from, to) => {
      t[to] = t[from] as number;
      x[to] = x[from] as number;
      y[to] = y[from] as number;
      p[to] = p[from] as number;
      if (from < n) first++;
    });
    this.dropped += this.length - kept.length;
    this.length = kept.length;
    return first;
  }

  /** The first `n` events as a recording of their own, which the columns lose. */
  take(n = this.length): ReadRecording {
    const { length, dropped } = this;
    // Columns that are nearly full are given away as they are.
    const whole = n === length && this.t.length - n <= n / 8;
    const cut = <T extends Float64Array | Uint16Array | Uint8Array>(column: T): T => {
      if (whole) return column.subarray(0, n) as T;
      const first = column.slice(0, n) as T;
      column.copyWithin(0, n, length);
      return first;
    };
    const part = { t: cut(this.t), x: cut(this.x), y: cut(this.y), p: cut(this.p) };
    if (n > 0) this.newest = part.t[n - 1] as number;
    this.length -= n;
    this.dropped = 0;
    if (whole) this.release();
    if (this.width === 0) this.seenWidth = Math.max(this.seenWidth, 1 + largest(part.x));
    if (this.height === 0) this.seenHeight = Math.max(this.seenHeight, 1 + largest(part.y));
    return { ...part, width: this.width || this.seenWidth, height: this.height || this.seenHeight, dropped };
  }

  private release(): void {
    this.t = new Float64Array(0);
    this.x = new Uint16Array(0);
    this.y = new Uint16Array(0);
    this.p = new Uint8Array(0);
  }
}

function largest(coordinates: Uint16Array): number {
  let most = -1;
  for (let i = 0; i < coordinates.length; i++) most = Math.max(most, coordinates[i] as number);
  return most;
}

function grown<T extends { set(from: T): void; subarray(from: number, to: number): T }>(
  old: T,
  room: T,
  length: number,
): T {
  room.set(old.subarray(0, length));
  return room;
}

/**
 * Indices of a longest run of times ≥ `floor`, not necessarily adjacent, in which none is smaller than the one before it; null where
 * all n times are such a run already.
 *
 * Among all runs of a length, the search keeps the one that ends at the smallest time: `ends` has its last index, by length − 1.
 */
function longestOrderly(t: Float64Array, n: number, floor: number): Uint32Array | null {
  let sound = 0;
  for (let last = floor; sound < n && (t[sound] as number) >= last; sound++) last = t[sound] as number;
  if (sound === n) return null;
  const ends = new Uint32Array(n);
  const before = new Uint32Array(n);
  let longest = 0;
  for (let i = 0; i < n; i++) {
    const time = t[i] as number;
    if (!(time >= floor)) continue;
    // The first length whose run ends later than this time.
    let low = 0;
    let high = longest;
    if (longest > 0 && (t[ends[longest - 1] as number] as number) <= time) low = longest;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((t[ends[middle] as number] as number) <= time) low = middle + 1;
      else high = middle;
    }
    if (low > 0) before[i] = ends[low - 1] as number;
    ends[low] = i;
    if (low === longest) longest++;
  }
  const kept = ends.slice(0, longest);
  for (let k = longest - 2; k >= 0; k--) kept[k] = before[kept[k + 1] as number] as number;
  return kept;
}
