/** A pole on a cart: the dynamics of CartPole-v1, for many independent carts at once. */
import { type Generator, noGrad, rand } from "jarvis-snn/core";

const GRAVITY = 9.8;
const MASS_CART = 1;
const MASS_POLE = 0.1;
const MASS = MASS_CART + MASS_POLE;
/** From the hinge to the middle of the pole. */
const HALF_LENGTH = 0.5;
/** Newtons, to the left or to the right. */
export const FORCE = 10;
/** Seconds of a step. */
export const DT = 0.02;

/** An episode ends where the cart is farther than this from the middle of the track (m), or the pole from upright (radians). */
export const LIMITS = { position: 2.4, angle: (12 * Math.PI) / 180 };
/** Steps of an episode at most, and so the largest return. */
export const MOST_STEPS = 500;
/** All four values of a first state are uniform in ± this. */
export const START = 0.05;

/** A cart that is kicked is kicked in so large a part of its steps: every two seconds on average. */
const KICKED = 0.01;

/** Values of a state: position x, velocity ẋ, angle θ and angular velocity θ̇. */
export const VALUES = 4;

/** The episodes that ended in a step. */
export interface Ends {
  /** 1 where the cart or the pole is beyond its limit. */
  readonly terminated: Uint8Array;
  /** 1 where the last step is over and the pole still stands. */
  readonly truncated: Uint8Array;
}

/**
 * Carts with a pole each. A force F = ±10 N pushes the cart in every step, by the equations without friction
 *
 *   θ̈ = (g·sin θ − cos θ·h) / (l·(4/3 − m·cos²θ/M))        h = (F + m·l·θ̇²·sin θ) / M
 *   ẍ = h − m·l·θ̈·cos θ/M
 *
 * with g = 9.8, M = 1.1 the mass of cart and pole, m = 0.1 that of the pole, and l = 0.5 half the length of the pole. A step of
 * Δt = 0.02 is one of Euler's, which moves the positions by the velocities before the step:
 *
 *   x += Δt·ẋ      ẋ += Δt·ẍ      θ += Δt·θ̇      θ̇ += Δt·θ̈
 *
 * All numbers are float64. Sine and cosine are polynomials, so that all engines compute the same bits.
 *
 * @see Barto, Sutton and Anderson (1983), Neuronlike adaptive elements that can solve difficult learning control problems, IEEE
 *   Transactions on Systems, Man, and Cybernetics 13(5). The friction of this paper is left out, as in CartPole-v1.
 * @see Florian (2007), Correct equations for the dynamics of the cart-pole system, Coneural. Two mistakes of the first paper are corrected
 *   there, the model of friction and the sign of g. Without friction and with g > 0 the equations of both are those above.
 */
export class CartPoles {
  /** x, ẋ, θ, θ̇ of every cart, [E, 4]. */
  readonly states: Float64Array;
  /** Steps of the current episodes. */
  readonly steps: Int32Array;
  private readonly generator: Generator;
  private readonly kick: number;

  /**
   * Every cart begins an episode. The generator draws the first states of all episodes, and the kicks: before one in a hundred steps the
   * angular velocity of a pole changes by a number that is uniform in ± `kick` rad/s.
   */
  constructor(count: number, generator: Generator, { kick = 0 } = {}) {
    this.states = new Float64Array(VALUES * count);
    this.steps = new Int32Array(count);
    this.generator = generator;
    this.kick = kick;
    for (let i = 0; i < count; i++) this.restart(i);
  }

  get count(): number {
    return this.steps.length;
  }

  /** Begins an episode of cart i: the values of its state are uniform in ±0.05. */
  restart(i: number): void {
    const draws = this.draw(VALUES);
    for (let j = 0; j < VALUES; j++) this.states[VALUES * i + j] = START * (2 * (draws[j] as number) - 1);
    this.steps[i] = 0;
  }

  /** Pushes every cart, to the left for action 0 and to the right for 1. A cart whose episode ends needs a `restart` before the next step. */
  step(actions: ArrayLike<number>): Ends {
    const { states, steps, count, kick } = this;
    const draws = kick === 0 ? null : this.draw(2 * count);
    const ends = { terminated: new Uint8Array(count), truncated: new Uint8Array(count) };
    for (let i = 0; i < count; i++) {
      const state = states.subarray(VALUES * i, VALUES * (i + 1));
      if (draws !== null && (draws[2 * i] as number) < KICKED)
        (state[3] as number) += kick * (2 * (draws[2 * i + 1] as number) - 1);
      advance(state, actions[i] === 1 ? FORCE : -FORCE);
      const [x, , angle] = state as unknown as [number, number, number];
      const lasted = (steps[i] as number) + 1;
      steps[i] = lasted;
      if (Math.abs(x) > LIMITS.position || Math.abs(angle) > LIMITS.angle) ends.terminated[i] = 1;
      else if (lasted >= MOST_STEPS) ends.truncated[i] = 1;
    }
    return ends;
  }

  /** Numbers that are uniform in [0, 1). */
  private draw(count: number): Float32Array {
    return noGrad(() => rand([count], { generator: this.generator }).toFloat32Array());
  }
}

/** One step of {@link CartPoles} of one state, in place. */
export function advance(state: Float64Array, force: number): void {
  const [x, speed, angle, turn] = state as unknown as [number, number, number, number];
  const [sine, cosine] = [sin(angle), cos(angle)];
  const h = (force + MASS_POLE * HALF_LENGTH * turn * turn * sine) / MASS;
  const spin = (GRAVITY * sine - cosine * h) / (HALF_LENGTH * (4 / 3 - (MASS_POLE * cosine * cosine) / MASS));
  const acceleration = h - (MASS_POLE * HALF_LENGTH * spin * cosine) / MASS;
  state[0] = x + DT * speed;
  state[1] = speed + DT * acceleration;
  state[2] = angle + DT * turn;
  state[3] = turn + DT * spin;
}

/** sin θ by its series up to θ¹¹. |θ| ≤ 0.3; error at most 3·10⁻¹⁷, the next term, and the roundings. */
export function sin(x: number): number {
  const q = x * x;
  return x * (1 - (q / 6) * (1 - (q / 20) * (1 - (q / 42) * (1 - (q / 72) * (1 - q / 110)))));
}

/** cos θ by its series up to θ¹². |θ| ≤ 0.3; error at most 10⁻¹⁸, the next term, and the roundings. */
export function cos(x: number): number {
  const q = x * x;
  return 1 - (q / 2) * (1 - (q / 12) * (1 - (q / 30) * (1 - (q / 56) * (1 - (q / 90) * (1 - q / 132)))));
}
