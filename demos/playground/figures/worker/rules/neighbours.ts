/** A hundred fields learn digits by themselves: first one digit at a time, so that each is seen, then as fast as they can. */
import { tensor } from "jarvis-snn";
import { Neighbours, SETTINGS } from "../../../../neighbours/neighbours.ts";
import { parseDigits } from "../../../model/digits.ts";
import { sha256 } from "../../../model/sha256.ts";
import { buffersIn, type Send, type Turns } from "../protocol.ts";

export interface NeighboursParameters {
  /** The bytes of digits.bin. */
  readonly file: ArrayBuffer;
  readonly inhibition: number;
  /** Pictures are sent only after so many digits, and nothing fires before they are shown: for readers who want no motion. */
  readonly stills: readonly number[] | null;
}

export type NeighboursOrder =
  /** Shows digits to new fields from this seed on, at once until so many where a link says how many. */
  | { readonly kind: "begin"; readonly seed: number; readonly until?: number }
  | { readonly kind: "pause" | "goOn" }
  | { readonly kind: "inhibit"; readonly inhibition: number };

/** What one digit does to the fields. */
export interface Firing {
  /** Its number in the file. */
  readonly image: number;
  /** Spikes of each neuron. */
  readonly counts: Float32Array;
}

export type NeighboursMessage =
  /** Fields that have not learned yet. */
  | ({ readonly kind: "firing" } & Firing)
  | NeighboursPicture
  | { readonly kind: "measured"; readonly accuracy: number; readonly hash: string };

export interface NeighboursPicture extends Firing {
  readonly kind: "picture";
  /** Digits seen, and seconds of computing. */
  readonly seen: number;
  readonly seconds: number;
  /** [N, 196], the largest weight of each field is 255. */
  readonly fields: Uint8Array;
  /** The name of each field, −1 for none, and its share in what the field responds to. */
  readonly labels: Int8Array;
  readonly shares: Float32Array;
  /** Times and neurons of the spikes of this digit. */
  readonly raster: Uint16Array;
  /** The share of the last 200 digits that the fields named right as they came; NaN before the twentieth. */
  readonly right: number;
}

/** Milliseconds between two digits that nothing learns from. */
const IDLE_MS = 1500;
/** The first digits come at this many a second, twice as many after every second one, until there are so many that they flow. */
const SLOW = { first: 1.2, most: 40 };
/** Milliseconds of learning in a turn. */
const TURN_MS = 24;
const WINDOW = 200;
const LEAST = 20;

export function* run(
  { file, inhibition, stills }: NeighboursParameters,
  send: Send<NeighboursMessage>,
): Turns<NeighboursOrder> {
  const { train, test } = parseDigits(new Uint8Array(file));
  const course = new Course(train, test, { inhibition, stills }, (message) => send(message, buffersIn(message)));
  for (let wait = 0; ; wait = course.turn()) for (const order of yield wait) course.obey(order);
}

interface Manner {
  readonly inhibition: number;
  readonly stills: readonly number[] | null;
}

type Part = ReturnType<typeof parseDigits>["train"];

class Course {
  private readonly train: Part;
  private readonly test: Part;
  private readonly stills: readonly number[] | null;
  private readonly tell: (message: NeighboursMessage) => void;
  private inhibition: number;
  /** Fields that learn nothing, until the first digit is shown. */
  private readonly idlers: Neighbours;
  private idled = 0;
  private learners: Neighbours | null = null;
  private playing = false;
  /** Digits that are caught up with, after which playing pauses; 0 for none. */
  private until = 0;
  private milliseconds = 0;
  private answers: boolean[] = [];
  private measuring: Generator<void, number, void> | null = null;
  /** When the next turn may begin. */
  private due = 0;

  constructor(train: Part, test: Part, { inhibition, stills }: Manner, tell: (message: NeighboursMessage) => void) {
    this.train = train;
    this.test = test;
    this.stills = stills;
    this.tell = tell;
    this.inhibition = inhibition;
    this.idlers = new Neighbours(train, { inhibition, seed: 0 });
    this.picture(this.idlers, null, 0, []);
  }

  obey(order: NeighboursOrder): void {
    if (order.kind !== "inhibit") this.due = 0;
    if (order.kind === "begin") {
      this.learners = new Neighbours(this.train, { inhibition: this.inhibition, seed: order.seed });
      this.milliseconds = 0;
      this.answers = [];
      this.measuring = null;
      this.until = order.until ?? 0;
      this.picture(this.learners, null, 0, []);
    }
    if (order.kind === "inhibit") {
      this.inhibition = order.inhibition;
      (this.learners ?? this.idlers).network.inhibit(order.inhibition);
    } else this.playing = order.kind !== "pause";
  }

  /** Returns the milliseconds until the next turn; an order comes before, and then the turn waits for its time. */
  turn(): number {
    if (this.learners !== null && !this.playing) return Number.POSITIVE_INFINITY;
    const early = this.due - performance.now();
    if (early > 0) return early;
    const wait = this.learners === null ? this.idle() : this.advance(this.learners);
    this.due = performance.now() + wait;
    return wait;
  }

  private advance(learners: Neighbours): number {
    if (learners.seen === this.train.y.length) return this.judge(learners);
    const rate =
      this.stills === null && this.until <= learners.seen ? SLOW.first * 2 ** (learners.seen / 2) : SLOW.most;
    const isSlow = rate < SLOW.most;
    this.learn(learners, isSlow ? 0 : TURN_MS);
    return isSlow ? 1000 / rate : 0;
  }

  /** Measures a few digits a turn. */
  private judge(learners: Neighbours): number {
    this.measuring ??= learners.measure(this.test);
    const step = this.measuring.next();
    if (step.done !== true) return 0;
    this.playing = false;
    this.tell({
      kind: "measured",
      accuracy: step.value,
      hash: sha256(new Uint8Array(learners.network.connection.weight.toFloat32Array().buffer)),
    });
    return Number.POSITIVE_INFINITY;
  }

  /** A digit that nothing is learned from. */
  private idle(): number {
    if (this.stills !== null) return Number.POSITIVE_INFINITY;
    const image = this.idled++ % this.train.y.length;
    const { pixels } = SETTINGS;
    const values = Float32Array.from(this.train.x.subarray(image * pixels, (image + 1) * pixels), (v) => v / 255);
    const x = tensor(values, { shape: [1, pixels] });
    const counts = this.idlers.network.respond(x);
    x.dispose();
    this.tell({ kind: "firing", image, counts });
    return IDLE_MS;
  }

  /** Shows digits for so many milliseconds, one at least. */
  private learn(learners: Neighbours, milliseconds: number): void {
    const begin = performance.now();
    const raster: number[] = [];
    let isDue = false;
    let last: Firing;
    do {
      const { image, label, counts, said } = learners.next(raster);
      last = { image, counts };
      this.answers.push(said === label);
      if (this.answers.length > WINDOW) this.answers.shift();
      isDue ||= this.stills?.includes(learners.seen) ?? true;
    } while (
      performance.now() - begin < milliseconds &&
      learners.seen < this.train.y.length &&
      !this.stopsAt(learners)
    );
    this.milliseconds += performance.now() - begin;
    if (learners.seen === this.until) {
      isDue = true;
      this.playing = this.until === this.train.y.length;
    }
    if (isDue) this.picture(learners, last, learners.seen, raster);
  }

  /** Whether a still of these fields is due, which more digits would change. */
  private stopsAt({ seen }: Neighbours): boolean {
    return seen === this.until || this.stills?.includes(seen) === true;
  }

  private picture(of: Neighbours, firing: Firing | null, seen: number, raster: readonly number[]): void {
    const { answers } = this;
    this.tell({
      kind: "picture",
      seen,
      seconds: this.milliseconds / 1000,
      fields: of.fields(),
      ...of.names(),
      image: firing?.image ?? -1,
      counts: firing?.counts ?? new Float32Array(of.network.settings.neurons),
      raster: Uint16Array.from(raster),
      right: answers.length < LEAST ? Number.NaN : answers.filter(Boolean).length / answers.length,
    });
  }
}
