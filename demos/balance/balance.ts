/** A policy that learns to balance a pole that is kicked, and stops when it can: the pole of the demo cartpole, kicked while it learns. */
import { Generator } from "jarvis-snn/core";
import { CartPoles, MOST_STEPS, VALUES } from "../cartpole/environment.ts";
import { SpikingNetwork } from "../cartpole/network.ts";
import { best, PPO, train, type UpdateReport } from "../cartpole/ppo.ts";

const HIDDEN = 64;
/** T, time steps of the network for a decision. */
const TIMESTEPS = 8;
/** A schedule of 300 updates, with kicks of ± 1 rad/s at most. */
export const SETTINGS = { ...PPO, kick: 1 };

/** Learning stops when this many tries in a row lasted ten seconds; from update `after` on, when `most` of this many did. */
export const STOP = { tries: 20, after: 120, most: 15 };

export class Learner {
  readonly actor: SpikingNetwork;
  updates = 0;
  private readonly steps: Updates;
  /** Whether each of the last tries lasted until the end. */
  private lasted: boolean[] = [];

  /** The seed draws the weights, the actions, the first states and the kicks. */
  constructor(seed: number) {
    const generator = new Generator(seed);
    const network = (outputs: number) =>
      new SpikingNetwork({ hidden: HIDDEN, outputs, timesteps: TIMESTEPS, encode: "current", generator });
    this.actor = network(2);
    this.steps = train({ actor: this.actor, critic: network(1) }, generator, SETTINGS);
  }

  /** Whether the schedule is over. */
  get isOver(): boolean {
    return this.updates >= SETTINGS.updates;
  }

  /** Whether learning stops here. */
  get isDone(): boolean {
    const { lasted, updates } = this;
    const full = lasted.filter(Boolean).length;
    return (
      this.isOver || full === STOP.tries || (lasted.length === STOP.tries && updates >= STOP.after && full >= STOP.most)
    );
  }

  /** One more update; the schedule must not be over. */
  next(): UpdateReport {
    const { value, done } = this.steps.next();
    if (done === true) throw new Error(`balance: the schedule has ${SETTINGS.updates} updates, got one more`);
    this.updates++;
    this.lasted = [...this.lasted, ...value.returns.map((steps) => steps === MOST_STEPS)].slice(-STOP.tries);
    return value;
  }

  /** Makes learning stop by later tries alone: the policy has failed. */
  goOn(): void {
    this.lasted = [];
  }
}

type Updates = ReturnType<typeof train>;

/** A kick comes after a second of balance, and the pole has survived it when it still stands five seconds later. */
const KICKED = { after: 50, until: 300 };

/** The share of poles that survive a kick of this many rad/s, every other one to the other side. */
export function survivors(actor: SpikingNetwork, kick: number, runs: number, generator: Generator): number {
  const carts = new CartPoles(runs, generator);
  const fell = new Set<number>();
  for (let step = 0; step < KICKED.until; step++) {
    if (step === KICKED.after)
      for (let i = 0; i < runs; i++) (carts.states[VALUES * i + 3] as number) += i % 2 === 0 ? -kick : kick;
    const { terminated } = carts.step(best(actor, carts));
    for (let i = 0; i < runs; i++) {
      if (terminated[i] === 0) continue;
      fell.add(i);
      carts.restart(i);
    }
  }
  return 1 - fell.size / runs;
}
