/** Proximal policy optimisation: an actor learns to choose between two actions, a critic to foretell the return. */
import {
  Adam,
  bernoulli,
  clipGradNorm,
  type Module,
  noGrad,
  type Generator as RandomGenerator,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn/core";
import { CartPoles, VALUES } from "./environment.ts";

export interface PPOOptions {
  /** E, carts that run side by side. */
  carts: number;
  /** N, decisions of each cart between two updates. */
  decisions: number;
  updates: number;
  /** Gradient steps of an update, each on all N·E decisions. */
  epochs: number;
  /** Learning rate of Adam in the first update; the rate falls to zero in a line, as ε does. */
  lr: number;
  /** γ, the weight of the reward of the next step against that of this one. */
  gamma: number;
  /** λ of the advantages. */
  lambda: number;
  /** ε in the first update: a ratio outside of 1 ± ε gains nothing more. */
  clip: number;
  /** The largest norm of the gradients of a step. */
  maxNorm: number;
  /** The largest kick, as {@link CartPoles} has it. */
  kick: number;
}

export const PPO: PPOOptions = {
  carts: 16,
  decisions: 32,
  updates: 300,
  epochs: 10,
  lr: 3e-3,
  gamma: 0.99,
  lambda: 0.95,
  clip: 0.2,
  maxNorm: 0.5,
  kick: 0,
};

/** Maps observations [B, 4] to scores of the actions [B, 2], and to the expected return [B, 1]. */
export interface Agent {
  readonly actor: Module;
  readonly critic: Module;
}

/** Decisions of E carts in N steps: step by step, the carts of a step side by side. */
export interface Rollout {
  readonly carts: number;
  /** [N·E, 4]. */
  readonly observations: Float32Array;
  /** The observations that followed, before a new episode began. */
  readonly followers: Float32Array;
  /** 0 and 1, [N·E]. */
  readonly actions: Float32Array;
  /** 1 where the pole or the cart went beyond its limit. */
  readonly terminated: Uint8Array;
  /** 1 where the episode ended, by that or by its last step. */
  readonly ended: Uint8Array;
}

export interface UpdateReport {
  readonly update: number;
  /** Steps of all carts so far. */
  readonly steps: number;
  /** Returns of the episodes that ended in this update. */
  readonly returns: readonly number[];
  /** −Σ π·log π, the mean over the decisions before the last gradient step: log 2 for a fair coin, 0 for a certain choice. */
  readonly entropy: number;
  /** The carts, which go on in the next update. */
  readonly carts: CartPoles;
}

/**
 * Trains actor and critic by PPO, and yields after each update. In each update E carts take N decisions, and then the loss
 *
 *   L = −⟨min(r·Â, clamp(r, 1 − ε, 1 + ε)·Â)⟩ + ½·⟨(V − (A + V_old))²⟩      r = π(a|o) / π_old(a|o),   Â = (A − mean A) / std A
 *
 * goes down by a few steps of Adam. A are the {@link advantages}. Actor and critic are trained through their spikes by surrogate gradients.
 * The generator draws actions and first states.
 *
 * @see Williams (1992), Simple statistical gradient-following algorithms for connectionist reinforcement learning, Machine Learning 8.
 * @see Schulman, Wolski, Dhariwal, Radford and Klimov (2017), Proximal Policy Optimization Algorithms, arXiv:1707.06347.
 */
export function* train(
  agent: Agent,
  generator: RandomGenerator,
  options: PPOOptions,
): Generator<UpdateReport, void, void> {
  const { updates, decisions, lr, clip } = options;
  const parameters = [...agent.actor.parameters(), ...agent.critic.parameters()];
  const optimizer = new Adam(parameters, { lr, eps: 1e-5 });
  const carts = new CartPoles(options.carts, generator, options);
  for (let update = 1; update <= updates; update++) {
    const { rollout, returns } = collect(agent.actor, carts, decisions, generator);
    const batch = batchOf(agent, rollout, options);
    const left = 1 - (update - 1) / updates;
    optimizer.lr = lr * left;
    let entropy = 0;
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      entropy = tape(() => backward(agent, batch, clip * left));
      clipGradNorm(parameters, options.maxNorm);
      optimizer.step();
      optimizer.zeroGrad();
    }
    for (const values of Object.values(batch)) values.dispose();
    yield { update, steps: update * decisions * carts.count, returns, entropy, carts };
  }
}

/** Decisions of all carts, drawn from the policy. Where an episode ends, the next one begins. */
export function collect(
  actor: Module,
  carts: CartPoles,
  decisions: number,
  generator: RandomGenerator,
): { rollout: Rollout; returns: number[] } {
  const E = carts.count;
  const size = decisions * E;
  const observations = new Float32Array(VALUES * size);
  const followers = new Float32Array(VALUES * size);
  const actions = new Float32Array(size);
  const terminated = new Uint8Array(size);
  const ended = new Uint8Array(size);
  const returns: number[] = [];
  for (let at = 0; at < size; at += E) {
    observations.set(carts.states, VALUES * at);
    const chosen = draw(actor, carts, generator);
    const ends = carts.step(chosen);
    actions.set(chosen, at);
    followers.set(carts.states, VALUES * at);
    terminated.set(ends.terminated, at);
    for (let i = 0; i < E; i++) {
      if (ends.terminated[i] === 0 && ends.truncated[i] === 0) continue;
      ended[at + i] = 1;
      returns.push(carts.steps[i] as number);
      carts.restart(i);
    }
  }
  return { rollout: { carts: E, observations, followers, actions, terminated, ended }, returns };
}

/** The observations of the networks, [E, 4]: the states of the carts as float32. */
export const seen = (carts: CartPoles): Tensor => tensor(carts.states, { shape: [carts.count, VALUES] });

/** An action for each cart: 1 with the probability that the actor gives it. */
function draw(actor: Module, carts: CartPoles, generator: RandomGenerator): Float32Array {
  return noGrad(() => bernoulli(actor.forward(seen(carts)).softmax().select(1, 1), { generator }).toFloat32Array());
}

/** The action of the larger score for each cart. */
export const best = (actor: Module, carts: CartPoles): Float32Array =>
  noGrad(() => actor.forward(seen(carts)).argmax({ axis: 1 }).toFloat32Array());

/** Tensors of the gradient steps of an update. */
type Batch = Record<"observations" | "actions" | "before" | "normal" | "targets", Tensor>;

/** Log-probabilities before the update, normalised advantages, and targets of the critic, [N·E, 1] each. */
function batchOf({ actor, critic }: Agent, rollout: Rollout, options: PPOOptions): Batch {
  const column = (values: ArrayLike<number>) => tensor(values, { shape: [values.length, 1] });
  const rows = (values: Float32Array) => tensor(values, { shape: [values.length / VALUES, VALUES] });
  return noGrad(() => {
    const observations = rows(rollout.observations);
    const actions = column(rollout.actions);
    const values = critic.forward(observations);
    const next = critic.forward(rows(rollout.followers));
    const gains = column(advantages(rollout, values.toFloat32Array(), next.toFloat32Array(), options));
    const before = actor.forward(observations).logSoftmax().gather(1, actions);
    const normal = gains.sub(gains.mean()).div(gains.std().add(1e-8));
    return { observations, actions, before, normal, targets: gains.add(values) };
  });
}

/**
 * How much better a decision turned out than the critic expected, with rewards of 1 for each step:
 *
 *   δ[t] = 1 + γ·V(o′[t]) − V(o[t])      A[t] = δ[t] + γ·λ·A[t+1]
 *
 * Behind a fall nothing follows: V(o′) counts as 0. Behind the last step of an episode V(o′) stands for the reward that the time limit
 * cuts off. A[t+1] counts as 0 behind both, and behind the end of the rollout.
 *
 * @see Schulman, Moritz, Levine, Jordan and Abbeel (2016), High-dimensional continuous control using generalized advantage estimation, ICLR.
 */
export function advantages(
  { carts, terminated, ended }: Pick<Rollout, "carts" | "terminated" | "ended">,
  values: ArrayLike<number>,
  next: ArrayLike<number>,
  { gamma, lambda }: Pick<PPOOptions, "gamma" | "lambda">,
): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    const after = terminated[i] === 1 ? 0 : (next[i] as number);
    const error = 1 + gamma * after - (values[i] as number);
    const later = ended[i] === 1 ? 0 : (result[i + carts] ?? 0);
    result[i] = error + gamma * lambda * later;
  }
  return result;
}

/** The gradients of the loss of {@link train}; the entropy of the policy. */
function backward({ actor, critic }: Agent, batch: Batch, clip: number): number {
  const policy = actor.forward(batch.observations).logSoftmax();
  const gain = clippedGain(policy.gather(1, batch.actions), batch.before, batch.normal, clip);
  const error = critic.forward(batch.observations).sub(batch.targets).square().mean();
  error.mul(0.5).sub(gain).backward();
  return -policy.exp().mul(policy).sum({ axis: 1 }).mean().item();
}

/** ⟨min(r·Â, clamp(r, 1 − ε, 1 + ε)·Â)⟩ with r = exp(log π − log π_old): its gradient at r = 1 is that of REINFORCE. */
export function clippedGain(now: Tensor, before: Tensor, advantage: Tensor, clip: number): Tensor {
  const ratio = now.sub(before).exp();
  const clipped = ratio.clamp(1 - clip, 1 + clip);
  return ratio.mul(advantage).minimum(clipped.mul(advantage)).mean();
}
