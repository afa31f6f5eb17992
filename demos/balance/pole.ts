/** One pole that is watched: it falls to the ground, lies there, and is set up again. */
import { type Generator, noGrad, rand, tensor } from "jarvis-snn/core";
import { advance, DT, FORCE, LIMITS, START, sin, VALUES } from "../cartpole/environment.ts";
import type { SpikingNetwork } from "../cartpole/network.ts";

/** Steps from the end of a try to the next one: 0.9 s. A pole that has not reached the ground by then falls on. */
export const FALL = 45;
const GROUND = Math.PI / 2;
/** A pole whose hinge rests: θ̈ = 3·g / (4·l)·sin θ, and 3 / (4·l), by which the speed of a cart that stops turns it. */
const [TILT, STOPPED] = [14.7, 1.5];

/** A decision of the policy. */
export interface Decision {
  /** Spikes of the hidden neurons, [T, N]. */
  readonly spikes: Uint8Array;
  /** The score of a push to the right above that of one to the left. */
  readonly pull: number;
}

export class Pole {
  /** x, ẋ, θ, θ̇. */
  readonly state = new Float64Array(VALUES);
  /** Steps for which it has stood in this try. */
  stood = 0;
  /** Steps since it fell; 0 while it stands. */
  fallen = 0;
  private readonly generator: Generator;

  /** The generator draws the first states of the tries. */
  constructor(generator: Generator) {
    this.generator = generator;
    this.setUp();
  }

  /** Changes the angular velocity by this many rad/s. */
  kick(turn: number): void {
    if (this.fallen === 0) (this.state[3] as number) += turn;
  }

  /** Lets 20 ms pass. Returns the decision of the policy; null while the pole falls or lies, which no policy changes. */
  step(actor: SpikingNetwork): Decision | null {
    if (this.fallen > 0) {
      this.fall();
      return null;
    }
    const { state } = this;
    const decision = decide(actor, state);
    advance(state, decision.pull > 0 ? FORCE : -FORCE);
    this.stood++;
    const [x, speed, angle] = state as unknown as [number, number, number];
    if (Math.abs(x) <= LIMITS.position && Math.abs(angle) <= LIMITS.angle) return decision;
    // The cart stops at once, and the pole turns on around the hinge.
    state[1] = 0;
    (state[3] as number) += STOPPED * speed;
    this.fallen = 1;
    return decision;
  }

  /** Sine of `environment.ts` is exact to 10⁻⁷ up to the ground. */
  private fall(): void {
    const { state } = this;
    (state[3] as number) += DT * TILT * sin(state[2] as number);
    (state[2] as number) += DT * (state[3] as number);
    const isDown = Math.abs(state[2] as number) >= GROUND;
    if (isDown) {
      state[2] = Math.sign(state[2] as number) * GROUND;
      state[3] = 0;
    }
    this.fallen++;
    if (isDown && this.fallen > FALL) this.setUp();
  }

  /** Begins a try. */
  setUp(): void {
    const draws = noGrad(() => rand([VALUES], { generator: this.generator }).toFloat32Array());
    for (let j = 0; j < VALUES; j++) this.state[j] = START * (2 * (draws[j] as number) - 1);
    this.stood = 0;
    this.fallen = 0;
  }
}

function decide(actor: SpikingNetwork, state: Float64Array): Decision {
  return noGrad(() => {
    const { hidden, membrane } = actor.activity(tensor(state, { shape: [1, VALUES] }));
    const [left, right] = membrane.toFloat32Array().subarray(-2) as unknown as [number, number];
    return { spikes: Uint8Array.from(hidden.toFloat32Array()), pull: right - left };
  });
}
