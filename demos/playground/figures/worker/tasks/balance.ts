/** A policy learns on sixteen small carts, an update at a time, while one large pole stands or falls by it in real time. */
import { Learner, STOP } from "../../../../balance/balance.ts";
import { FALL, Pole } from "../../../../balance/pole.ts";
import { DT, MOST_STEPS, VALUES } from "../../../../cartpole/environment.ts";
import type { SpikingNetwork } from "../../../../cartpole/network.ts";
import { testGenerator } from "../../../../cartpole/policy.ts";
import { sha256 } from "../../../model/sha256.ts";
import type { Send, Turns } from "../protocol.ts";

export interface BalanceParameters {
  readonly seed: number;
  /** Updates that the policy has learned before it is shown. */
  readonly updates: number;
  /** Each picture is a try at its end, and a picture comes only after some updates or a kick: for readers who want no motion. */
  readonly still: boolean;
}

export type BalanceOrder =
  /** Learns a new policy from this seed on. */
  | { readonly kind: "begin"; readonly seed: number }
  | { readonly kind: "learn" | "stop" }
  /** Changes the angular velocity of the large pole by this many rad/s. */
  | { readonly kind: "kick"; readonly turn: number };

/** 20 ms of the large pole. */
export interface Moment {
  /** The angle of the pole, in radians. */
  readonly angle: number;
  /** The kick before it, in rad/s; 0 for none. */
  readonly kick: number;
  /** The push of the cart: −1 to the left, 1 to the right, 0 for none. */
  readonly push: number;
  /**
   * Spikes of each hidden neuron in the decision, which the pole that lies has not. Neurons are in the order of their votes: the first one
   * votes most for a push to the left.
   */
  readonly counts: Uint8Array | null;
}

/** "stopped": by the reader, or before the start. "learned": by the rule of {@link STOP}, or as the schedule is over. */
export type BalancePhase = "learning" | "stopped" | "learned";

export interface BalanceMessage {
  readonly phase: BalancePhase;
  readonly seed: number;
  readonly updates: number;
  /** Seconds of computing that the updates took. */
  readonly seconds: number;
  /** The mean of the last 20 tries of the small carts in seconds; NaN before the first end of a try. */
  readonly lasted: number;
  /** x and θ of each small cart, and the seconds of its try so far; empty before the first update. */
  readonly carts: readonly (readonly [x: number, angle: number, seconds: number])[];
  /** The large pole: position of its cart, seconds since it was set up, number of kicks and of falls. */
  readonly x: number;
  readonly stood: number;
  readonly kicks: number;
  readonly falls: number;
  /** The moments since the last message. */
  readonly moments: readonly Moment[];
  /** SHA-256 of the policy; "" while it learns. */
  readonly hash: string;
}

/** Milliseconds from one update to the next at least, so that a reader sees the policies between the first and the last one. */
const UPDATE_MS = 120;
/** Milliseconds of computing in a turn where nothing moves. */
const TURN_MS = 24;
/** Milliseconds of the large pole that a turn makes up for at most: on a slow machine its time is slower. */
const MOST_MS = 100;
const STEP_MS = 1000 * DT;
/** Without motion, updates between two pictures, and steps of the large pole after a kick. */
const STILL = { updates: 20, kicked: 100 };

export function* run({ seed, updates, still }: BalanceParameters, send: Send<BalanceMessage>): Turns<BalanceOrder> {
  let course = new Course(seed, still, send);
  const orders: BalanceOrder[] = [];
  while (course.updates < updates) {
    course.learn(updates);
    orders.push(...(yield 0));
  }
  course.show();
  for (;;) {
    for (const order of orders.splice(0)) {
      if (order.kind === "begin") course = new Course(order.seed, still, send);
      course.obey(order);
    }
    orders.push(...(yield course.turn()));
  }
}

class Course {
  private readonly seed: number;
  private readonly still: boolean;
  private readonly send: Send<BalanceMessage>;
  private readonly learner: Learner;
  private readonly pole: Pole;
  private isLearning = false;
  private carts: BalanceMessage["carts"] = [];
  /** Steps that the last tries lasted. */
  private returns: number[] = [];
  private milliseconds = 0;
  private kicks = 0;
  private falls = 0;
  private kick = 0;
  private moments: Moment[] = [];
  /** The places of the neurons in the order of their votes. */
  private places: readonly number[];
  /** The hash of the policy; "" until it is asked for. */
  private hash = "";
  /** Until when the large pole has moved, and when the next update may begin. */
  private moved = performance.now();
  private due = 0;

  constructor(seed: number, still: boolean, send: Send<BalanceMessage>) {
    this.seed = seed;
    this.still = still;
    this.send = send;
    this.learner = new Learner(seed);
    this.pole = new Pole(testGenerator(seed));
    this.places = byVotes(this.learner.actor);
  }

  get updates(): number {
    return this.learner.updates;
  }

  obey(order: BalanceOrder): void {
    if (order.kind === "kick") this.push(order.turn);
    else {
      this.isLearning = order.kind !== "stop" && !this.learner.isOver;
      this.show();
    }
  }

  /** Returns the milliseconds until the next turn. */
  turn(): number {
    if (this.still) {
      this.learnUnseen();
      return this.isLearning ? 0 : Number.POSITIVE_INFINITY;
    }
    this.advance();
    return Math.max(0, this.moved + STEP_MS - performance.now());
  }

  /** Learns for some milliseconds, up to so many updates in all. */
  learn(until: number): void {
    const begin = performance.now();
    do this.update();
    while (performance.now() - begin < TURN_MS && this.updates < until);
  }

  /** Sends a picture. Where nothing moves, it is that of a new try at its end. */
  show(): void {
    if (this.still) this.pass(() => this.pole.stood < MOST_STEPS && this.pole.fallen < FALL);
    this.tell();
  }

  private push(turn: number): void {
    const { pole } = this;
    if (this.still) this.pass(() => pole.fallen > 0);
    // A kick of a pole that lies has no effect.
    if (pole.fallen === 0) {
      pole.kick(turn);
      this.kick += turn;
      this.kicks++;
    }
    if (!this.still) return;
    for (let step = 0; step < STILL.kicked && pole.fallen < FALL; step++) this.step();
    this.tell();
  }

  private advance(): void {
    const now = performance.now();
    this.moved = Math.max(this.moved, now - MOST_MS);
    for (; this.moved + STEP_MS <= now; this.moved += STEP_MS) this.step();
    if (this.isLearning && now >= this.due) {
      this.due = now + UPDATE_MS;
      this.update();
      this.isLearning = !this.learner.isDone;
    }
    this.tell();
  }

  private learnUnseen(): void {
    if (!this.isLearning) return;
    this.learn(this.updates + 1);
    this.isLearning = !this.learner.isDone;
    if (this.isLearning && this.updates % STILL.updates !== 0) return;
    this.pole.setUp();
    this.show();
  }

  private update(): void {
    const begin = performance.now();
    const { returns, carts } = this.learner.next();
    this.milliseconds += performance.now() - begin;
    this.returns = [...this.returns, ...returns].slice(-STOP.tries);
    this.carts = Array.from(carts.steps, (steps, i) => {
      const [x, , angle] = carts.states.subarray(VALUES * i) as unknown as [number, number, number];
      return [x, angle, DT * steps];
    });
    this.places = byVotes(this.learner.actor);
    this.hash = "";
  }

  private pass(goesOn: () => boolean): void {
    while (goesOn()) this.step();
  }

  /** 20 ms of the large pole. A policy that had learned and fails goes on learning. */
  private step(): void {
    const { pole, learner, places } = this;
    const decision = pole.step(learner.actor);
    let counts: Uint8Array | null = null;
    if (decision !== null) {
      counts = new Uint8Array(places.length);
      for (const [i, spike] of decision.spikes.entries())
        (counts[places[i % places.length] as number] as number) += spike;
      if (pole.fallen > 0) this.fall();
    }
    const push = decision === null ? 0 : decision.pull > 0 ? 1 : -1;
    this.moments.push({ angle: pole.state[2] as number, kick: this.kick, push, counts });
    this.kick = 0;
  }

  private fall(): void {
    const { learner } = this;
    this.falls++;
    if (this.still || this.isLearning || !learner.isDone || learner.isOver) return;
    learner.goOn();
    this.isLearning = true;
  }

  private tell(): void {
    const { seed, updates, carts, returns, kicks, falls, pole, moments, learner } = this;
    const phase = this.isLearning ? "learning" : learner.isDone ? "learned" : "stopped";
    this.moments = [];
    const isLearning = phase === "learning";
    if (!isLearning && this.hash === "") this.hash = hashOf(learner.actor);
    this.send({
      ...{ phase, seed, updates, carts, kicks, falls, moments },
      seconds: this.milliseconds / 1000,
      lasted: (DT * returns.reduce((sum, steps) => sum + steps, 0)) / returns.length,
      x: pole.state[0] as number,
      stood: DT * pole.stood,
      hash: isLearning ? "" : this.hash,
    });
  }
}

/** The place of each hidden neuron among those that vote ever more for a push to the right. */
function byVotes({ fc2 }: SpikingNetwork): readonly number[] {
  const weights = fc2.weight.toFloat32Array();
  const count = weights.length / 2;
  const vote = (j: number): number => (weights[count + j] as number) - (weights[j] as number);
  const places = new Array<number>(count);
  const order = Array.from({ length: count }, (_, j) => j).sort((a, b) => vote(a) - vote(b) || a - b);
  for (const [place, j] of order.entries()) places[j] = place;
  return places;
}

function hashOf(actor: SpikingNetwork): string {
  const parts = actor.parameters().map((p) => p.toFloat32Array());
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return sha256(new Uint8Array(values.buffer));
}
