import { Izhikevich, LIF, memoryStats, neuron, surrogate, type Tensor, tape, tensor } from "jarvis-snn";
import { expect, test } from "vitest";
import { parse, rewritten } from "./language.ts";
import { TypedNeuron } from "./model.ts";
import { PRESETS, settingOfPreset } from "./presets.ts";

/** A current of steps, ramps and pulses. */
const current = Float32Array.from({ length: 200 }, (_, t) => (t % 50 === 0 ? 0.9 : (t % 70) / 250));

const preset = (name: string) => {
  const found = PRESETS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no preset ${name}`);
  return { ...settingOfPreset(found), equations: parse(found.text) };
};

/** Spikes, membrane and ∂u[at]/∂I of a layer of the package. */
function reference(
  layer: { unroll(x: Tensor): { spikes: Tensor; membrane: Tensor } },
  input: Float32Array,
  at: number,
) {
  return tape(() => {
    const x = tensor(input, { shape: [input.length, 1], requiresGrad: true });
    const { spikes, membrane } = layer.unroll(x);
    const made = [spikes.toFloat32Array(), membrane.toFloat32Array()];
    membrane
      .slice(0, at, at + 1)
      .sum()
      .backward();
    return [...made, x.grad?.toFloat32Array()];
  });
}

test("the text of a LIF is the LIF of the package to the bit: spikes, membrane and credit", () => {
  const lent = surrogate.triangular({ width: 0.7 });
  for (const [last, detachReset] of [
    ["0 if detach(s) else u", true],
    ["0 if s else u", false],
  ] as const) {
    const typed = new TypedNeuron(parse(`β = 0.95\nθ = 1\nu = v·β + I\ns = [u ≥ θ]\nv′ = ${last}`), lent);
    const lif = new LIF({ beta: 0.95, detachReset, surrogate: lent, learn: ["beta", "threshold"] } as never);
    for (const at of [0, 3, 120, 199]) {
      const [spikes, membrane, credit] = reference(lif, current, at);
      const run = typed.run(current);
      expect(run.spikes).toEqual(spikes);
      expect(run.membrane).toEqual(membrane);
      expect(typed.credit(current, at).current).toEqual(credit);
    }
    expect(typed.run(current).spikes?.reduce((sum, s) => sum + s, 0)).toBeGreaterThan(5);
    typed.dispose();
  }
});

test("the preset of Izhikevich fires as the neuron of the package", () => {
  const { equations, current: input } = preset("Izhikevich");
  const typed = new TypedNeuron(equations);
  const layer = new Izhikevich();
  const { spikes, membrane } = layer.unroll(tensor(input, { shape: [input.length, 1] }));
  const run = typed.run(input);
  expect(run.spikes).toEqual(spikes.toFloat32Array());
  expect(run.spikes?.reduce((sum, s) => sum + s, 0)).toBeGreaterThan(1);
  // The sum of the step is in another order.
  const far = Math.max(...membrane.toFloat32Array().map((u, t) => Math.abs(u - (run.membrane[t] as number))));
  expect(far).toBeLessThan(0.5);
});

test("credit: a change of the current changes the membrane as far as it says", () => {
  const equations = parse(preset("synapse").equations.text.replace("if s", "if detach(s)"));
  // Without spikes the membrane is smooth, and no gradient passes a spike that might come.
  const typed = new TypedNeuron(equations);
  const quiet = Float32Array.from({ length: 100 }, (_, t) => (t % 7) / 4000);
  const at = 80;
  const { current: slopes, parameters } = typed.credit(quiet, at);
  for (const t of [80, 79, 60, 20]) {
    const more = quiet.slice();
    more[t] = (more[t] as number) + 0.01;
    const rise = ((typed.run(more).membrane[at] as number) - (typed.run(quiet).membrane[at] as number)) / 0.01;
    expect(slopes[t]).toBeCloseTo(rise, 3);
  }
  expect(slopes[81]).toBe(0);
  const other = parse(rewritten(equations, new Map([["β", 0.951]])));
  const before = typed.run(quiet).membrane[at] as number;
  typed.take(other);
  expect(parameters.get("β")).toBeCloseTo(((typed.run(quiet).membrane[at] as number) - before) / 0.001, 1);
  typed.dispose();
});

test("other numbers of the same text are those of a text made anew", () => {
  const { equations, current: input } = preset("adaptive");
  const typed = new TypedNeuron(equations);
  typed.field(
    0.1,
    ["v", "a"],
    [
      [0, 1],
      [0, 5],
    ],
    new Map(),
    8,
  );
  const other = parse(
    rewritten(
      equations,
      new Map([
        ["β", 0.8],
        ["κ", 0.5],
      ]),
    ),
  );
  typed.take(other);
  const anew = new TypedNeuron(other);
  expect(typed.run(input)).toEqual(anew.run(input));
  const plane = (each: TypedNeuron) =>
    each.field(
      0.1,
      ["v", "a"],
      [
        [0, 1],
        [0, 5],
      ],
      new Map(),
      8,
    );
  expect(plane(typed)).toEqual(plane(anew));
  expect(typed.printed).toBe(anew.printed);
  for (const each of [typed, anew]) each.dispose();
});

test("a field has the moves of a step without a spike, row by row, and the distance from the threshold", () => {
  const typed = new TypedNeuron(parse("θ = 1\nu = 0.5v + I\ns = [u ≥ θ]\nv′ = 0 if s else u\na′ = 0.9a + 3s"));
  const { dx, dy, above } = typed.field(
    0.25,
    ["v", "a"],
    [
      [0, 4],
      [0, 10],
    ],
    new Map(),
    3,
  );
  expect([...dx]).toEqual([0.25, -0.75, -1.75, 0.25, -0.75, -1.75, 0.25, -0.75, -1.75]);
  expect(dy[0]).toBe(0);
  expect(dy[8]).toBeCloseTo(-1, 6);
  expect([...(above ?? [])].slice(0, 3)).toEqual([-0.75, 0.25, 1.25]);
  typed.dispose();
});

test("a state leads to the next one, and a spike lies between where the neuron fires", () => {
  const typed = new TypedNeuron(parse("θ = 1\nu = 0.5v + I\ns = [u ≥ θ]\nv′ = 0 if s else u"));
  const { from, to, fires } = typed.successor(0.25, "v", [0, 4], 5);
  expect([...from]).toEqual([0, 1, 2, 3, 4]);
  expect([...to]).toEqual([0.25, 0.75, 0, 0, 0]);
  expect([...(fires ?? [])]).toEqual([0, 0, 1, 1, 1]);
  typed.dispose();
});

test("the curve counts between spikes: a neuron that fires every n steps has the rate 1/n", () => {
  const typed = new TypedNeuron(parse("θ = 1\nu = v + I\ns = [u ≥ θ]\nv′ = 0 if s else u"));
  const { currents, rates } = typed.curve([0, 1]);
  for (const [i, input] of currents.entries()) {
    let [u, steps] = [0, 0];
    while (input > 0 && u < 1) {
      u = Math.fround(u + input);
      steps++;
    }
    expect(rates[i]).toBeCloseTo(steps === 0 ? 0 : 1 / steps, 6);
  }
  typed.dispose();
});

test("a neuron without spikes has a membrane and credit", () => {
  const typed = new TypedNeuron(parse("u = 0.5v + I\nv′ = u"));
  const { spikes, membrane, lost } = typed.run(Float32Array.of(1, 0, 0));
  expect([spikes, [...membrane], lost]).toEqual([null, [1, 0.5, 0.25], -1]);
  expect([...typed.credit(Float32Array.of(1, 0, 0), 2).current]).toEqual([0.25, 0.5, 1]);
  typed.dispose();
});

test("a neuron that runs away says at which step", () => {
  const typed = new TypedNeuron(parse("v′ = v·v + I"));
  const input = new Float32Array(40).fill(2);
  let [v, step] = [0, 0];
  while (Number.isFinite(v)) v = step++ < 0 ? v : Math.fround(Math.fround(v * v) + 2);
  expect(typed.run(input).lost).toBe(step - 1);
  typed.dispose();
});

test.each(["leaky", "adaptive", "synapse"])("%s learns to fire 12 times, and its text says how", (name) => {
  const { equations, current: input } = preset(name);
  const typed = new TypedNeuron(equations);
  const optimizers = typed.optimizers();
  const first = typed.turn(input, 12, optimizers).made;
  expect(first).not.toBe(12);
  let made = first;
  for (let turns = 0; made !== 12 && turns < 400; turns++) {
    const turn = typed.turn(input, 12, optimizers);
    made = turn.made;
    if (made !== 12) typed.take(parse(rewritten(typed.equations, turn.moved)));
  }
  const anew = new TypedNeuron(parse(typed.equations.text));
  expect(anew.run(input).spikes?.reduce((sum, s) => sum + s, 0)).toBe(12);
  for (const optimizer of optimizers.values()) optimizer.dispose();
  for (const each of [typed, anew]) each.dispose();
});

test("all presets fire under their current, and have credit that is finite", () => {
  for (const { name } of PRESETS) {
    const { equations, current: input, width } = preset(name);
    const typed = new TypedNeuron(equations, surrogate.triangular({ width }));
    const { spikes, lost } = typed.run(input);
    expect([name, lost]).toEqual([name, -1]);
    expect(
      spikes?.reduce((sum, s) => sum + s, 0),
      name,
    ).toBeGreaterThan(1);
    const { current: slopes } = typed.credit(input, 300);
    expect(slopes.every(Number.isFinite), name).toBe(true);
    expect(
      slopes.some((x) => x !== 0),
      name,
    ).toBe(true);
    typed.dispose();
  }
});

test("500 different texts in a row leave no tensor behind, and linear memory as it was after the first ones", () => {
  const texts = Array.from({ length: 500 }, (_, i) => {
    const terms = Array.from({ length: 1 + (i % 5) }, (_, k) => `${k + 2}·${["v", "u", "I", "w"][(i + k) % 4]}`);
    const last = i % 2 === 0 ? "0 if s else u" : "u − θ·s";
    const more = i % 3 === 0 ? "z′ = 0.5·z + s·w" : "# no more";
    const head = `β = 0.${90 + (i % 9)}\nθ = ${1 + i}\nw = tanh(v·${i + 1})\nu = β·v + I + w`;
    return `${head}\ny = ${terms.join(" + ")}\ns = [u ≥ θ]\nv′ = ${last}\na′ = ${i}·y\n${more}`;
  });
  expect(new Set(texts).size).toBe(500);
  const input = new Float32Array(40).fill(0.1);
  const type = (text: string, i: number): void => {
    const typed = new TypedNeuron(parse(text));
    typed.run(input);
    typed.credit(input, 20);
    if (i % 10 === 0) {
      const square = [
        [0, 1],
        [0, 1],
      ] as const;
      typed.field(0.1, ["v", "a"], square, new Map(), 10);
      typed.curve([0, 1]);
      const optimizers = typed.optimizers();
      typed.turn(input, 3, optimizers);
      for (const optimizer of optimizers.values()) optimizer.dispose();
    }
    typed.dispose();
  };
  const { live } = memoryStats();
  for (const [i, text] of texts.slice(0, 50).entries()) type(text, i);
  const { reserved } = memoryStats();
  expect(memoryStats().live).toBe(live);
  for (const [i, text] of texts.slice(50).entries()) type(text, i);
  expect(memoryStats().live).toBe(live);
  expect(memoryStats().reserved).toBe(reserved);
});

test("a text has the bits of the same step in a program", () => {
  const { equations, current: input } = preset("adaptive");
  const Adaptive = neuron({
    name: "Adaptive",
    state: { v: 0, a: 0 },
    parameters: { beta: 0.95, rho: 0.98, threshold: 1, kappa: 0.25 },
    step({ current: I, v, a, beta, rho, threshold, kappa, spike }) {
      const u = beta.mul(v).add(I);
      const s = spike(u.sub(threshold.add(kappa.mul(a))));
      return { spikes: s, u, v: u.sub(threshold.mul(s)), a: rho.mul(a).add(s) };
    },
  });
  const { spikes, u } = new Adaptive().unroll(tensor(input, { shape: [input.length, 1] }));
  const typed = new TypedNeuron(equations);
  const run = typed.run(input);
  expect([run.spikes, run.membrane]).toEqual([spikes.toFloat32Array(), u.toFloat32Array()]);
  typed.dispose();
});
