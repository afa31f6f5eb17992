/** What the figure shows: fields and where they lie, the digit of the moment, and the curve of right answers. */
import type { Firing, NeighboursPicture } from "../worker/rules/neighbours.ts";

export const COLUMNS = 10;
export const NEURONS = COLUMNS * COLUMNS;
export const SIDE = 14;
export const PIXELS = SIDE * SIDE;
/** Digits that are shown in all. */
export const DIGITS = 3000;

/** Names are shown after so many digits: before, votes change too often to be read. */
const NAMED_AFTER = 300;
/** A field has learned when fewer of its pixels than these are darker than two fifths of the darkest: noise is dark everywhere. */
const DARK = { above: 100, most: 80 };

/** Of the way to its place that a field goes, and of its glow that stays, in 16 ms. */
const FLIGHT = 0.14;
const GLOW = 0.93;

export interface Accuracy {
  readonly digits: number;
  readonly right: number;
}

export class Scene {
  seen = 0;
  seconds = 0;
  fields = new Uint8Array(NEURONS * PIXELS);
  /** The digit of the moment, its pixels in [0, 1]; null for none. */
  image: Float32Array | null = null;
  /** Times and neurons of its spikes, one pair after the other. */
  raster: ArrayLike<number> = [];
  curve: Accuracy[] = [];
  /** How brightly each field is ringed: it has just fired. */
  readonly glow = new Float32Array(NEURONS);
  /** Columns and rows of the fields, and the place to which each is on its way. */
  readonly places = Float32Array.from({ length: 2 * NEURONS }, (_, i) => gridAt(i >> 1, i & 1));
  private readonly goals = this.places.slice();
  private labels = new Int8Array(NEURONS).fill(-1);
  private shares = new Float32Array(NEURONS);

  /** A field that has learned nothing stays nameless. */
  hasLearned(j: number): boolean {
    let dark = 0;
    for (let i = j * PIXELS; i < (j + 1) * PIXELS; i++) dark += Number((this.fields[i] as number) > DARK.above);
    return dark < DARK.most;
  }

  /** The name of a field and its share in what the field responds to; null as long as it has none. */
  nameOf(j: number): { readonly label: number; readonly share: number } | null {
    const label = this.labels[j] as number;
    if (this.seen < NAMED_AFTER || label < 0 || !this.hasLearned(j)) return null;
    return { label, share: this.shares[j] as number };
  }

  show({ seen, seconds, fields, labels, shares, raster, right }: NeighboursPicture): void {
    if (seen === 0) this.curve = [];
    if (!Number.isNaN(right)) this.curve.push({ digits: seen, right });
    this.seen = seen;
    this.seconds = seconds;
    this.fields = fields as Uint8Array<ArrayBuffer>;
    this.labels = labels as Int8Array<ArrayBuffer>;
    this.shares = shares as Float32Array<ArrayBuffer>;
    this.raster = raster;
  }

  /** The digit of a number among digits of a byte a pixel; none for −1. */
  setImage(digits: Uint8Array, image: number): void {
    const pixels = digits.subarray(image * PIXELS, (image + 1) * PIXELS);
    this.image = image < 0 ? null : Float32Array.from(pixels, (value) => value / 255);
  }

  fire({ counts }: Firing): void {
    for (let j = 0; j < NEURONS; j++)
      this.glow[j] = Math.max(this.glow[j] as number, Math.min(1, (counts[j] as number) / 4));
  }

  /** Sends the fields to places by their names, those without one last, or back to their own. */
  sort(byName: boolean): void {
    const order = Array.from({ length: NEURONS }, (_, j) => j);
    const rank = (j: number): number => {
      const name = this.nameOf(j);
      return name === null ? 10 : name.label + (1 - name.share) / 2;
    };
    if (byName) order.sort((a, b) => rank(a) - rank(b) || a - b);
    for (const [place, j] of order.entries()) for (const axis of [0, 1]) this.goals[2 * j + axis] = gridAt(place, axis);
  }

  /** All fields are where they go to. */
  arrive(): void {
    this.places.set(this.goals);
    this.glow.fill(0);
  }

  /** Lets time pass; returns whether anything goes on moving. */
  pass(ms: number): boolean {
    const [stay, way] = [GLOW ** (ms / 16), 1 - (1 - FLIGHT) ** (ms / 16)];
    let moves = false;
    for (let j = 0; j < NEURONS; j++) {
      const glow = (this.glow[j] as number) * stay;
      this.glow[j] = glow < 0.02 ? 0 : glow;
      moves ||= glow >= 0.02;
    }
    for (let i = 0; i < 2 * NEURONS; i++) {
      const rest = (this.goals[i] as number) - (this.places[i] as number);
      const isThere = Math.abs(rest) < 0.004;
      this.places[i] = isThere ? (this.goals[i] as number) : (this.places[i] as number) + way * rest;
      moves ||= !isThere;
    }
    return moves;
  }
}

const gridAt = (place: number, axis: number): number => (axis === 0 ? place % COLUMNS : Math.floor(place / COLUMNS));
