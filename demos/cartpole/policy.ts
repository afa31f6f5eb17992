/** A trained policy at work: returns of test episodes, and one episode to look at. */
import { concat, Generator, noGrad, type Tensor } from "jarvis-snn/core";
import { CartPoles } from "./environment.ts";
import type { SpikingNetwork } from "./network.ts";
import { best, seen } from "./ppo.ts";

/** First states of test episodes are drawn from negative seeds, and training has others. */
export const testGenerator = (seed: number): Generator => new Generator(-1 - seed);

/** Returns of episodes in which the policy takes the action of the larger score. */
export function testReturns(actor: SpikingNetwork, episodes: number, generator: Generator): number[] {
  const carts = new CartPoles(episodes, generator);
  const returns = new Array<number>(episodes).fill(0);
  for (let running = episodes; running > 0; ) {
    const { terminated, truncated } = carts.step(best(actor, carts));
    for (let i = 0; i < episodes; i++) {
      if (terminated[i] === 0 && truncated[i] === 0) continue;
      if (returns[i] === 0) {
        returns[i] = carts.steps[i] as number;
        running--;
      }
      carts.restart(i); // the first episode of a cart counts, later ones fill the batch
    }
  }
  return returns;
}

/** An episode: states step by step, and the activity of the actor in its first decisions. */
export interface Episode {
  /** [steps + 1, 4]. */
  readonly states: readonly Float64Array[];
  /** Currents or spikes of the input, spikes of the hidden neurons and membranes of the readout, [T·decisions, 1, …] each. */
  readonly input: Tensor;
  readonly hidden: Tensor;
  readonly membrane: Tensor;
  /** Spikes of the hidden neurons in the whole episode, as a part of all steps of all neurons. */
  readonly rate: number;
}

/** The first of the test episodes, with the activity in so many decisions. */
export const episode = (actor: SpikingNetwork, generator: Generator, decisions: number): Episode =>
  noGrad(() => played(actor, generator, decisions));

function played(actor: SpikingNetwork, generator: Generator, decisions: number): Episode {
  const carts = new CartPoles(1, generator);
  const states = [carts.states.slice()];
  const shown: Record<"input" | "hidden" | "membrane", Tensor>[] = [];
  let rates = 0;
  for (let ended = 0; ended === 0; ) {
    const activity = actor.activity(seen(carts));
    rates += activity.hidden.mean().item();
    if (shown.length < decisions) shown.push(activity);
    const { terminated, truncated } = carts.step(best(actor, carts));
    states.push(carts.states.slice());
    ended = (terminated[0] as number) | (truncated[0] as number);
  }
  const joined = (name: "input" | "hidden" | "membrane") => concat(shown.map((activity) => activity[name]));
  const rate = rates / (states.length - 1);
  return { states, input: joined("input"), hidden: joined("hidden"), membrane: joined("membrane"), rate };
}
