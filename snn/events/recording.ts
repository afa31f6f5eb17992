/** Recordings of event cameras as sorted columns, and the columns that a reader fills. */
import { wrongValue } from "../../engine/arguments.ts";
import { Bound } from "./bound.ts";

/** Brightness changes of an event camera, in the order of time. */
export interface EventRecording {
  /** Times in whole microseconds, in ascending order. */
  readonly t: Float64Array;
  /** Columns of the pixels, from the left, in [0, width). */
  readonly x: Uint16Array;
  /** Rows of the pixels, from the top, in [0, height). */
  readonly y: Uint16Array;
  /** Polarities: 1 if the pixel became brighter (ON), 0 if it became darker (OFF). */
  readonly p: Uint8Array;
  /** Width of the sensor in pixels. */
  readonly width: number;
  /** Height of the sensor in pixels. */
  readonly height: number;
}

/** A recording, or a part of one, from a file. */
export interface ReadRecording extends EventRecording {
  /**
   * Number of events, words and packets of the file, or of this part of it, that were dropped: damaged ones, which only `recover` allows, and
   * events of a camera's stream before its first time stamp.
   */
  readonly dropped: number;
}

/** Spike trains with their labels. */
export interface SpikeRecordings {
  /** The number of recordings. */
  readonly length: number;
  /** The class of each recording. */
  readonly labels: Uint16Array;
  /** Names of classes by label, if the file has them. */
  readonly keys: readonly string[];
  /** Speaker of each recording, if the file has them. */
  readonly speakers: Uint16Array | null;
  /**
   * Reads a recording: `x` is the channel in [0, 700), `y` is 0 and `p` is 1.
   *
   * @throws RangeError for an index out of range, and for damage; Error after `close`.
   */
  get(index: number): EventRecording;
  /** Frees the memory of the file. */
  close(): void;
}

/** Bytes per event in the columns. */
const EVENT_BYTES = 8 + 2 + 2 + 1;

/** Growing columns, and the sensor size that bounds their events. */
export class EventColumns {
  t = new Float64Array(0);
  x = new Uint16Array(0);
  y = new Uint16Array(0);
  p = new Uint8Array(0);
  /** Number of events in the columns. */
  length = 0;
  /** Size of the sensor; 0 while it is unknown. */
  width: number;
  height: number;
  dropped = 0;
  readonly where: string;
  readonly recover: boolean;
  /** Package whose times a reader reproduces, if packages differ. */
  readonly numerics: "expelliarmus" | null;
  /** Time of the last event that was taken. */
  newest = -Infinity;
  /** Bound on the memory of the columns and of unpacked data. */
  readonly bound: Bound;
  private seenWidth = 0;
  private seenHeight = 0;

  constructor(
    where: string,
    recover: boolean,
    width: number,
    height: number,
    numerics: "expelliarmus" | null = null,
    bound = new Bound(where, null, Infinity),
  ) {
    this.numerics = numerics;
    this.bound = bound;
    this.where = where;
    this.recover = recover;
    this.width = width;
    this.height = height;
  }

  /** Sets the size that a file specifies, unless the caller has given one. */
  sensor(width: number, height: number): void {
    if (!(width > 0 && height > 0 && width <= 65_536 && height <= 65_536)) return;
    this.width ||= width;
    this.height ||= height;
  }

  /**
   * Makes room for `more` events. Empty columns get exactly this room.
   *
   * @throws RangeError if the columns would exceed their bound.
   */
  reserve(more: number): void {
    const need = this.length + Math.ceil(more);
    const old = this.t.length;
    if (need <= old) return;
    const most = old + Math.floor(this.bound.left / EVENT_BYTES);
    const room = this.length === 0 ? need : Math.max(need, Math.min(2 * old, most));
    this.bound.take(EVENT_BYTES * (room - old), `${room} events`);
    this.t = grown(this.t, new Float64Array(room), this.length);
    this.x = grown(this.x, new Uint16Array(room), this.length);
    this.y = grown(this.y, new Uint16Array(room), this.length);
    this.p = grown(this.p, new Uint8Array(room), this.length);
  }

  /**
   * Counts a damaged piece at this byte of the file as dropped.
   *
   * @throws RangeError unless `recover` is set.
   */
  damaged(at: number, expected: string, got: string | number): void {
    if (!this.recover) {
      throw wrongValue(this.where, expected, `${got} at byte ${at}; recover: true leaves it out`);
    }
    this.dropped++;
  }

  /** Counts an event off the sensor as dropped, or throws, as {@link damaged}. */
  outside(at: number, x: number, y: number): void {
    const size = this.width > 0 ? `${this.width} × ${this.height}` : "any camera";
    this.damaged(at, `a pixel of a sensor of ${size}`, `x ${x}, y ${y}`);
  }

  /** Counts an event earlier than the previous one as dropped, or throws, as {@link damaged}. */
  backwards(at: number, time: number, before: number): void {
    this.damaged(at, `a time from ${before} µs on`, `${time} µs`);
  }

  /**
   * Removes the fewest events such that times ascend and none is before the newest of earlier parts. Returns how many of the first `n` events
   * remain. Only readers that recover from damage append events of any time; they call this method at the end of a part.
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

  /** Removes the first `n` events from the columns and returns them as a recording. */
  take(n = this.length): ReadRecording {
    const { length, dropped } = this;
    // Nearly full columns are handed over without a copy.
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
    this.bound.taken -= EVENT_BYTES * this.t.length;
    this.t = new Float64Array(0);
    this.x = new Uint16Array(0);
    this.y = new Uint16Array(0);
    this.p = new Uint8Array(0);
  }
}

export function largest(coordinates: Uint16Array): number {
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
 * Indices of a longest ascending subsequence of the times ≥ `floor`; null if all n times ascend already.
 *
 * The search keeps, for each length, the subsequence that ends at the smallest time: `ends` has its last index, by length − 1.
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
    // Searches `ends` for the first index whose time is later than this one: `low`, or `longest` if there is none.
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
