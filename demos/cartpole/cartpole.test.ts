/** The pole: its dynamics, the advantages and the gain of PPO, that a small policy learns, and what the program prints and draws. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Generator, memoryStats, noGrad, parameter, rand, randn, type Tensor, tape, tensor } from "jarvis-snn";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { bits } from "../../test/support/tensors.ts";
import { advance, CartPoles, cos, DT, LIMITS, MOST_STEPS, sin, VALUES } from "./environment.ts";
import { SpikingNetwork } from "./network.ts";
import { episode, testGenerator, testReturns } from "./policy.ts";
import { advantages, clippedGain, collect, PPO, train } from "./ppo.ts";

const draws = (shape: number[], generator: Generator) => noGrad(() => rand(shape, { generator }).toFloat32Array());
const finish = (...given: Parameters<typeof train>): void => void [...train(...given)];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The largest difference of two states. */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, j) => Math.abs(value - (b[j] as number))));

describe("dynamics", () => {
  /**
   * A step by the equations of motion themselves, two linear equations for both accelerations, which Cramer's rule solves:
   *
   *   (M + m)·ẍ + m·l·cos θ·θ̈ = F + m·l·θ̇²·sin θ        m·l·cos θ·ẍ + 4/3·m·l²·θ̈ = m·g·l·sin θ
   */
  function stepped(state: ArrayLike<number>, force: number): number[] {
    const [M, m, l, g, dt] = [1, 0.1, 0.5, 9.8, 0.02];
    const [x, speed, angle, turn] = Array.from(state) as [number, number, number, number];
    const [a, b, d] = [M + m, m * l * Math.cos(angle), (4 / 3) * m * l ** 2];
    const [p, q] = [force + m * l * turn ** 2 * Math.sin(angle), m * g * l * Math.sin(angle)];
    const determinant = a * d - b * b;
    const acceleration = (p * d - b * q) / determinant;
    const spin = (a * q - b * p) / determinant;
    return [x + dt * speed, speed + dt * acceleration, angle + dt * turn, turn + dt * spin];
  }

  test("cartpole: a step from any state is that of the equations of motion in float64", () => {
    const generator = new Generator(1);
    for (let i = 0; i < 2000; i++) {
      const range = [2.4, 5, LIMITS.angle, 5];
      const from = Array.from(draws([VALUES], generator), (u, j) => (2 * u - 1) * (range[j] as number));
      const force = i % 2 === 0 ? 10 : -10;
      const state = Float64Array.from(from);
      advance(state, force);
      // A few roundings of values up to 6.
      expect(distance(state, stepped(from, force))).toBeLessThan(1e-14);
    }
  });

  test("cartpole: whole episodes are those of the float64 loop, with the same number of steps", () => {
    const generator = new Generator(2);
    const lasted: number[] = [];
    for (let i = 0; i < 40; i++) {
      const carts = new CartPoles(1, generator);
      let expected = Array.from(carts.states);
      for (let ended = false; !ended; ) {
        // Forces against the tilt, some of them at random, keep poles up for some seconds.
        const [chance, side] = draws([2], generator) as unknown as [number, number];
        const [, , angle, turn] = expected as [number, number, number, number];
        const right = chance < 0.3 ? side < 0.5 : angle + 0.2 * turn > 0;
        const { terminated, truncated } = carts.step([right ? 1 : 0]);
        expected = stepped(expected, right ? 10 : -10);
        const [x, , tilt] = expected as [number, number, number];
        expect(terminated[0]).toBe(Math.abs(x) > 2.4 || Math.abs(tilt) > (12 * 2 * Math.PI) / 360 ? 1 : 0);
        ended = terminated[0] === 1 || truncated[0] === 1;
        expect(distance(carts.states, expected)).toBeLessThan(1e-11);
        // An upright pole is unstable, and differences grow by e^(3.9 t/s): every two seconds the loop goes on from the same state.
        const steps = carts.steps[0] as number;
        if (steps % 100 === 0) expected = Array.from(carts.states);
        if (ended) lasted.push(steps);
      }
    }
    expect(mean(lasted)).toBeGreaterThan(40);
  });

  test("cartpole: from rest upright, the first push gives the cart 8/41 m/s and the pole −12/41 s⁻¹", () => {
    const state = new Float64Array(VALUES);
    advance(state, 10);
    expect([state[0], state[2]]).toEqual([0, 0]);
    expect(state[1]).toBeCloseTo(8 / 41, 15);
    expect(state[3]).toBeCloseTo(-12 / 41, 15);
  });

  test("cartpole: sine and cosine differ from those of the engine by a rounding", () => {
    for (let i = -300; i <= 300; i++) {
      const x = i / 1000;
      expect(Math.abs(sin(x) - Math.sin(x))).toBeLessThan(1e-16);
      expect(Math.abs(cos(x) - Math.cos(x))).toBeLessThan(2.3e-16);
    }
  });

  test("cartpole: first states are uniform in ±0.05, different ones for each cart and episode", () => {
    const carts = new CartPoles(500, new Generator(3));
    const first = carts.states.slice();
    expect(new Set(first).size).toBeGreaterThan(1990);
    expect(Math.max(...first.map(Math.abs))).toBeLessThanOrEqual(0.05);
    expect(Math.max(...first)).toBeGreaterThan(0.0495);
    expect(Math.min(...first)).toBeLessThan(-0.0495);
    carts.restart(7);
    expect(carts.states.subarray(28, 32)).not.toEqual(first.subarray(28, 32));
    expect(carts.states.subarray(32)).toEqual(first.subarray(32));
  });

  test.each([
    ["position", 0, 2.4, 2.4 - 1e-9, 2.4 + 1e-9],
    ["angle", 2, (12 * Math.PI) / 180, (12 * Math.PI) / 180 - 1e-9, (12 * Math.PI) / 180 + 1e-9],
  ])("cartpole: the episode ends beyond the limit of the %s, on both sides", (_, value, limit, within, beyond) => {
    expect(Object.values(LIMITS)).toContain(limit);
    for (const side of [1, -1]) {
      const carts = new CartPoles(2, new Generator(4));
      carts.states.fill(0); // at rest, the first step leaves positions where they are
      carts.states[value] = side * within;
      carts.states[VALUES + value] = side * beyond;
      expect(Array.from(carts.step([0, 0]).terminated)).toEqual([0, 1]);
    }
  });

  test("cartpole: step 500 ends an episode without a fall, and a fall in that step is a fall", () => {
    const carts = new CartPoles(3, new Generator(5));
    carts.steps.set([MOST_STEPS - 2, MOST_STEPS - 1, MOST_STEPS - 1]);
    carts.states[2 * VALUES] = 3;
    const { terminated, truncated } = carts.step([1, 0, 1]);
    expect([...terminated, ...truncated]).toEqual([0, 0, 1, 0, 1, 0]);
  });

  test("cartpole: kicks change the angular velocity alone, before one step in a hundred", () => {
    const [carts, calm] = [new CartPoles(1000, new Generator(6), { kick: 0.8 }), new CartPoles(1000, new Generator(6))];
    const kicks: number[] = [];
    for (let step = 0; step < 20; step++) {
      const before = carts.states.slice();
      calm.states.set(before);
      const actions = new Float32Array(carts.count);
      carts.step(actions);
      calm.step(actions);
      for (let i = 0; i < carts.count; i++) {
        const [x, speed, angle, turn] = [0, 1, 2, 3].map((j) => VALUES * i + j) as [number, number, number, number];
        const kick = (carts.states[angle] as number) - (calm.states[angle] as number);
        expect(carts.states[x]).toBe(calm.states[x]);
        // The positions move by the velocities behind the kick.
        if (kick === 0)
          expect([carts.states[speed], carts.states[turn]]).toEqual([calm.states[speed], calm.states[turn]]);
        else kicks.push(kick / DT);
      }
    }
    expect(Math.abs(kicks.length - 200)).toBeLessThan(45); // three standard deviations
    expect(Math.max(...kicks.map(Math.abs))).toBeLessThanOrEqual(0.8);
    expect(Math.max(...kicks)).toBeGreaterThan(0.7);
    expect(Math.min(...kicks)).toBeLessThan(-0.7);
  });

  test("cartpole: actions at random last about 22 steps", () => {
    const generator = new Generator(6);
    const carts = new CartPoles(1000, generator);
    const returns = new Array<number>(carts.count).fill(0);
    while (returns.includes(0)) {
      const { terminated } = carts.step(draws([carts.count], generator).map(Math.round));
      for (const [i, end] of terminated.entries()) {
        if (end === 0) continue;
        if (returns[i] === 0) returns[i] = carts.steps[i] as number;
        carts.restart(i);
      }
    }
    expect(Math.abs(mean(returns) - 22)).toBeLessThan(1.5);
  });
});

describe("learning", () => {
  test("ppo: advantages are sums of later errors up to the end of the episode", () => {
    const [carts, N, gamma, lambda] = [3, 12, 0.9, 0.7];
    const values = draws([N * carts], new Generator(1));
    const next = draws([N * carts], new Generator(2));
    const [ended, terminated] = [new Uint8Array(N * carts), new Uint8Array(N * carts)];
    for (const at of [4, 5, 13, 30]) ended[at] = 1;
    for (const at of [4, 30]) terminated[at] = 1;
    const given = advantages({ carts, terminated, ended }, values, next, { gamma, lambda });
    for (let t = 0; t < N; t++) {
      for (let i = 0; i < carts; i++) {
        let [sum, weight] = [0, 1];
        for (let later = t * carts + i; later < N * carts; later += carts) {
          sum +=
            weight * (1 + gamma * (terminated[later] === 1 ? 0 : (next[later] as number)) - (values[later] as number));
          weight *= gamma * lambda;
          if (ended[later] === 1) break;
        }
        expect(given[t * carts + i]).toBeCloseTo(sum, 12);
      }
    }
  });

  test("ppo: with λ = 1 and a critic that knows nothing, the advantage of a decision is the discounted return that it led to", () => {
    const terminated = Uint8Array.from([0, 0, 0, 1, 0]);
    const zeros = new Float32Array(5);
    const given = advantages({ carts: 1, terminated, ended: terminated }, zeros, zeros, { gamma: 0.5, lambda: 1 });
    expect(Array.from(given)).toEqual([1.875, 1.75, 1.5, 1, 1]);
  });

  /** The gradient of the logarithms of the probabilities. */
  const gradientOf = (now: Tensor, loss: (now: Tensor) => Tensor): number[] => {
    const leaf = parameter(now.clone());
    tape(() => loss(leaf).backward());
    return Array.from((leaf.grad as Tensor).toFloat32Array());
  };

  test("ppo: before the first gradient step, the gradient of the gain is that of REINFORCE", () => {
    const generator = new Generator(3);
    const now = randn([20, 1], { generator });
    const advantage = randn([20, 1], { generator });
    const given = gradientOf(now, (log) => clippedGain(log, now, advantage, 0.2));
    const expected = gradientOf(now, (log) => log.mul(advantage).mean());
    for (const [i, value] of expected.entries()) expect(given[i]).toBeCloseTo(value, 7);
  });

  test("ppo: an action that is already better by more than ε gains nothing more, and one that got worse can come back", () => {
    const before = tensor([0, 0, 0, 0, 0, 0]);
    const now = tensor([0.3, 0.3, -0.3, -0.3, 0.1, -0.1]); // ratios 1.35 and 0.74, beyond 1 ± 0.2, and two within
    const advantage = tensor([1, -1, 1, -1, 1, -1]);
    const gradient = gradientOf(now, (log) => clippedGain(log, before, advantage, 0.2));
    expect(gradient.map(Math.sign)).toEqual([0, -1, 1, 0, 1, -1]);
  });

  const agentOf = (generator: Generator, encode = "current", hidden = 32) => {
    const network = (outputs: number) => new SpikingNetwork({ hidden, outputs, timesteps: 8, encode, generator });
    return { actor: network(2), critic: network(1) };
  };

  test("ppo: a rollout has the observations before and behind every action, also where an episode ends", () => {
    const generator = new Generator(4);
    const { actor } = agentOf(generator);
    const carts = new CartPoles(4, generator);
    const { rollout, returns } = collect(actor, carts, 60, generator);
    const { observations, followers, actions, terminated, ended } = rollout;
    const found: number[] = [];
    const began = [0, 1, 2, 3]; // the first decisions of the episodes
    for (let at = 0; at < 240; at++) {
      const state = Float64Array.from(observations.subarray(VALUES * at, VALUES * (at + 1)));
      const follower = followers.subarray(VALUES * at, VALUES * (at + 1));
      advance(state, actions[at] === 1 ? 10 : -10);
      expect(distance(follower, state)).toBeLessThan(1e-6);
      const then = observations.subarray(VALUES * (at + 4), VALUES * (at + 5));
      if (ended[at] === 1) {
        expect(terminated[at]).toBe(1);
        found.push((at - (began[at % 4] as number)) / 4 + 1);
        began[at % 4] = at + 4;
        expect(Math.max(...then.map(Math.abs))).toBeLessThan(0.0501);
      } else if (at < 236) {
        expect(then).toEqual(follower);
      }
    }
    expect(returns.length).toBeGreaterThan(4);
    expect(found).toEqual(returns);
    // A policy that has learned nothing takes either action about as often.
    expect(Math.abs(mean(Array.from(actions)) - 0.5)).toBeLessThan(0.2);
  });

  test("cartpole: both codes give hidden neurons spikes, and the observation is in them", () => {
    for (const encode of ["current", "population"]) {
      const { actor } = agentOf(new Generator(5), encode);
      const { input, hidden, membrane } = noGrad(() =>
        actor.activity(
          tensor([
            [0, 0, 0, 0],
            [0.5, 0, -0.1, 1],
          ]),
        ),
      );
      expect(hidden.shape).toEqual([8, 2, 32]);
      expect(membrane.shape).toEqual([8, 2, 2]);
      const spikes = hidden.toFloat32Array();
      expect(new Set(spikes)).toEqual(new Set([0, 1]));
      expect(mean(Array.from(spikes))).toBeGreaterThan(0.02);
      expect(noGrad(() => hidden.select(1, 0).sub(hidden.select(1, 1)).abs().sum().item())).toBeGreaterThan(5);
      if (encode === "population") expect(new Set(input.toFloat32Array())).toEqual(new Set([0, 1]));
    }
  });

  test("cartpole: a policy of 32 neurons learns to stand ten times longer than chance, in 100 updates", () => {
    const generator = new Generator(0);
    const agent = agentOf(generator);
    const before = mean(testReturns(agent.actor, 50, testGenerator(0)));
    finish(agent, generator, { ...PPO, updates: 100 });
    const returns = testReturns(agent.actor, 50, testGenerator(0));
    expect(before).toBeLessThan(60);
    expect(mean(returns)).toBeGreaterThan(200);
    expect(Math.max(...returns)).toBeLessThanOrEqual(MOST_STEPS);

    // The episode that is drawn is the first one of the tests.
    const { states, hidden, membrane, rate } = episode(agent.actor, testGenerator(0), 20);
    expect(states.length - 1).toBe(testReturns(agent.actor, 1, testGenerator(0))[0]);
    expect([hidden.shape, membrane.shape]).toEqual([
      [160, 1, 32],
      [160, 1, 2],
    ]);
    expect(rate).toBeGreaterThan(0.02);
    expect(rate).toBeLessThan(0.6);
  });

  test("ppo: an update leaves nothing in memory", () => {
    const generator = new Generator(6);
    const live: number[] = [];
    const options = { ...PPO, updates: 4, epochs: 2 };
    for (const _ of train(agentOf(generator, "population", 8), generator, options)) live.push(memoryStats().live);
    // The first update makes the gradients and the state of the optimizer.
    expect(new Set(live.slice(1)).size).toBe(1);
  });

  test("cartpole: a seed fixes every weight", () => {
    const weights = (seed: number) => {
      const generator = new Generator(seed);
      const agent = agentOf(generator, "current", 8);
      finish(agent, generator, { ...PPO, updates: 3, epochs: 2 });
      return [agent.actor, agent.critic].flatMap((network) => network.parameters().map(bits));
    };
    expect(weights(1)).toEqual(weights(1));
    expect(weights(1)).not.toEqual(weights(2));
  });
});

describe("npm run demo -- cartpole", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cartpole-"));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  const TEST = /^test_episodes=7 mean_return=\d+\.\d\d worst=\d+ firing_rate=0\.\d{3} test_s=\d+\.\d$/;

  test("a line for 25 updates and for the rest, and one of the tests", async () => {
    const lines = await runDemo("cartpole", "--updates=30", "--carts=2", "--hidden=8", "--episodes=7");
    expect(lines.length).toBe(3);
    const line = (update: number) =>
      new RegExp(
        `^update=${update} steps=${64 * update} episodes=\\d+ mean_return=\\d+\\.\\d\\d entropy=0\\.\\d{3} train_s=\\d+\\.\\d$`,
      );
    expect(lines[0]).toMatch(line(25));
    expect(lines[1]).toMatch(line(30));
    expect(lines[2]).toMatch(TEST);
  });

  test.each([
    ["current", ["hidden layer"]],
    ["population", ["input", "hidden layer"]],
  ])("a sheet with returns, an episode and its spikes, of the code %s", async (encode, rasters) => {
    const path = join(folder, "new folder", "sheet.svg");
    const lines = await runDemo(
      "cartpole",
      "--updates=2",
      "--hidden=8",
      "--episodes=7",
      `--encode=${encode}`,
      `--svg=${path}`,
    );
    expect(lines.at(-2)).toMatch(TEST);
    expect(lines.at(-1)).toBe(`saved=${path}`);
    expect(existsSync(path)).toBe(true);
    const svg = readFileSync(path, "utf8");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const titles = [
      "Returns",
      "Entropy of the policy",
      "Angle of the pole",
      "Position of the cart",
      "Scores of a push",
    ];
    for (const part of [...titles, ...rasters.map((name) => `${name} · `)]) expect(svg).toContain(part);
    expect(svg.includes("input · ")).toBe(encode === "population");
  });
});
