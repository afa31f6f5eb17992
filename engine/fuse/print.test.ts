import { expect, test } from "vitest";
import { stepOf } from "../../test/support/fused.ts";
import { type Tensor, tensor } from "../index.ts";
import { type Derivative, Program, print, type StepArgument, type StepDefinition, type Value } from "./index.ts";

const SYMBOLS = "current I spikes s membrane u threshold θ";
const derivative: Derivative = (x, { constant }) => constant(1).div(x.mul(Math.PI).square().add(1));
const printed = (step: StepDefinition): string => print(new Program(step).traced, SYMBOLS);

test("a LIF as equations", () => {
  const step = stepOf({
    name: "LIF",
    inputs: ["current"],
    states: ["v"],
    parameters: { beta: "scalar", threshold: "scalar" },
    step({ current, v, beta, threshold, spike }) {
      const u = v.mul(beta).add(current);
      const s = spike(u.sub(threshold), derivative);
      return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)) };
    },
  });
  expect(printed(step)).toBe(`LIF
  u = v·β + I
  x1 = u − θ
  s = [x1 ≥ 0]
  v′ = u − detach(s)·θ
backward
  x2 = ∂s·(1 / ((3.1415927·x1)² + 1))
  ∇u = ∂u + ∂v′ + x2
  ∇I = ∇u
  ∇v = ∇u·β
  ∇β += ∇u·v
  ∇θ += −∂v′·s − x2`);
});

test("an adaptive neuron as equations", () => {
  const step = stepOf({
    name: "AdaptiveLIF",
    inputs: ["current"],
    states: ["v", "a"],
    parameters: { beta: "scalar", rho: "scalar", threshold: "scalar", kappa: "scalar" },
    step({ current, v, a, beta, rho, threshold, kappa, spike }) {
      const u = v.mul(beta).add(current);
      const s = spike(u.sub(threshold).sub(a.mul(kappa)), derivative);
      return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)), a: a.mul(rho).add(s) };
    },
  });
  expect(printed(step)).toBe(`AdaptiveLIF
  u = v·β + I
  x1 = u − θ − a·κ
  s = [x1 ≥ 0]
  v′ = u − detach(s)·θ
  a′ = a·ρ + s
backward
  ∇s = ∂s + ∂a′
  x2 = ∇s·(1 / ((3.1415927·x1)² + 1))
  ∇u = ∂u + ∂v′ + x2
  ∇I = ∇u
  ∇v = ∇u·β
  ∇a = ∂a′·ρ − x2·κ
  ∇β += ∇u·v
  ∇ρ += ∂a′·a
  ∇θ += −∂v′·s − x2
  ∇κ += −x2·a`);
});

test("a neuron with an exponential, a parameter that is derived and a choice, as equations", () => {
  const step = stepOf({
    name: "Exponential",
    inputs: ["current"],
    states: ["v"],
    parameters: { w: "scalar", sharpness: "column", threshold: "scalar" },
    step({ current, v, w, sharpness, threshold, spike, select }) {
      const rise = v.sub(threshold).div(sharpness).minimum(3).exp();
      const u = v.mul(w.sigmoid()).add(rise.mul(sharpness)).add(current);
      const s = spike(u.sub(2.5), (x, { power }) => power(x.abs().mul(-7)));
      return { spikes: s, membrane: u, v: select(s, -0.5, u) };
    },
  });
  expect(printed(step)).toBe(`Exponential
  x1 = (v − θ) / sharpness
  x2 = exp(minimum(x1, 3))
  u = v·σ(w) + x2·sharpness + I
  x3 = u − 2.5
  s = [x3 ≥ 0]
  v′ = −0.5 if s else u
backward
  ∇s = ∂s + ∂v′·(−0.5 − u)
  ∇u = ∂u + (0 if s else ∂v′) + ∇s·2^(−7·|x3|)
  ∇I = ∇u
  x4 = (0 if x1 > 3 else ∇u·sharpness·x2)·(0.5 if x1 = 3 else 1)
  x5 = x4 / sharpness
  ∇v = ∇u·σ(w) + x5
  ∇w += ∇u·v·(σ(w)·(1 − σ(w)))
  ∇sharpness += ∇u·x2 − x4·x1 / sharpness
  ∇θ += −x5`);
});

test("signs, numbers and brackets", () => {
  const step = stepOf({
    name: "Signs",
    inputs: ["x", "y"],
    states: [],
    parameters: { a: "scalar", b: "scalar" },
    step: ({ x, y, a, b, where }) => ({
      numbers: x.sub(-2).add(-3).mul(-0.5).mul(1),
      products: x.div(3).mul(2).sub(x.mul(-5)).sub(a.sub(b)).add(a.neg().div(b)),
      choices: where(y, where(x, a, b), where(x.gt(-1), x, b.neg())),
    }),
  });
  expect(printed(step)).toBe(`Signs
  numbers = −0.5·(x + 2 − 3)
  products = 2·(x / 3) + 5·x − (a − b) − a / b
  x1 = [x > −1]
  choices = (a if x else b) if y else x if x1 else −b
backward
  x2 = 0 if y else ∂choices
  ∇x = (x2 if x1 else 0) − 5·(−∂products) + 2·∂products / 3 − 0.5·∂numbers
  x3 = ∂choices if y else 0
  ∇a += (x3 if x else 0) − ∂products / b − ∂products
  x4 = −∂products·(a / b) / b
  ∇b += −(0 if x1 else x2) + (0 if x else x3) − x4 + ∂products`);
});

test("a parameter inside of functions has one gradient, and what several lines take of it has a name", () => {
  const step = stepOf({
    name: "Rotation",
    inputs: ["current"],
    states: ["x", "y"],
    parameters: { omega: "scalar", beta: "scalar", tau: "scalar" },
    step({ current, x, y, omega, beta, tau }) {
      const [sin, cos] = [omega.sin().mul(beta), omega.cos().mul(beta)];
      const rate = tau.reciprocal();
      return { x: x.mul(cos).sub(y.mul(sin)).add(current.mul(rate)), y: x.mul(sin).add(y.mul(cos)) };
    },
  });
  expect(printed(step)).toBe(`Rotation
  x1 = cos(ω)·β
  x2 = sin(ω)·β
  x′ = x·x1 − y·x2 + I·(1 / τ)
  y′ = x·x2 + y·x1
backward
  ∇I = ∂x′·(1 / τ)
  ∇x = ∂y′·x2 + ∂x′·x1
  ∇y = ∂y′·x1 − ∂x′·x2
  x3 = ∂y′·y + ∂x′·x
  x4 = ∂y′·x − ∂x′·y
  ∇ω += x3·β·derivative(cos(ω)) + x4·β·derivative(sin(ω))
  ∇β += x3·cos(ω) + x4·sin(ω)
  ∇τ += ∂x′·I·derivative(1 / τ)`);
});

test("two equal terms are twice one, and a 0 is not added", () => {
  const lines = linesOf([], ["v"], ({ x, v }) => ({ v: v.square().mul(x.sub(0)), y: v.add(v).add(x) }));
  expect(lines.slice(1)).toEqual([
    "x1 = v²",
    "v′ = x1·x",
    "x2 = 2·v",
    "y = x2 + x",
    "backward",
    "∇x = ∂y + ∂v′·x1",
    "∇v = 2·∂y + ∂v′·x·x2",
  ]);
});

test("functions that a kernel computes have their derivatives by name", () => {
  const step = stepOf({
    name: "Formulas",
    inputs: ["x"],
    states: [],
    parameters: { p: "scalar" },
    step: ({ x, p, softplus }) => ({ y: softplus(x.mul(p)), z: x.sin().add(x.pow(-1.5)) }),
  });
  expect(printed(step)).toBe(`Formulas
  x1 = x·p
  y = softplus(x1)
  z = sin(x) + x^−1.5
backward
  x2 = ∂y·derivative(softplus(x1))
  ∇x = ∂z·derivative(x^−1.5) + ∂z·derivative(sin(x)) + x2·p
  ∇p += x2·x`);
});

/** The lines of a step with one input x, without indentation. */
function linesOf<P extends string, S extends string>(
  parameters: readonly P[],
  states: readonly S[],
  step: (argument: StepArgument<"x" | P | S>) => Readonly<Record<string, Value>>,
): string[] {
  const kinds = Object.fromEntries(parameters.map((name) => [name, "scalar"])) as Record<P, "scalar">;
  return printed(stepOf({ name: "Step", inputs: ["x"], states, parameters: kinds, step }))
    .split("\n")
    .map((line) => line.trim());
}

test("temporaries have names that the step does not have", () => {
  const lines = linesOf(["x3"], ["x1"], ({ x, x1, x3 }) => {
    const u = x1.mul(x3).add(x);
    return { x2: u.exp(), x1: u.mul(u) };
  });
  expect(lines.slice(1, 4)).toEqual(["x4 = x1·x3 + x", "x2 = exp(x4)", "x1′ = x4·x4"]);
});

test("two names have two symbols, and neither is the name of a function", () => {
  const names = ["theta", "threshold", "θ", "tau", "threshold_", "sigma", "exp", "beta", "β", "I", "detach"] as const;
  const lines = linesOf(names, ["membrane", "u"], (argument) => ({
    current: names.reduce((sum: Value, name) => sum.add(argument[name]), argument.x),
    spikes: argument.sigma.sigmoid().add(argument.exp.exp()),
    tau: argument.membrane.detach(),
    membrane: argument.u,
    u: argument.u,
  }));
  expect(lines.slice(1, 6)).toEqual([
    "membrane′ = u",
    "u′ = u",
    "current = x + theta + threshold + θ + τ + threshold_ + sigma + exp_ + beta + β + I + detach_",
    "s = σ(sigma) + exp(exp_)",
    "tau = detach(membrane)",
  ]);
});

test("no function of an equation is the symbol of a parameter", () => {
  const functions = "sign floor round relu rsqrt exp log log1p sin cos atan erf tanh sigmoid abs square sqrt neg".split(
    " ",
  );
  const steps: Record<string, (x: Value) => Value> = {
    maximum: (x) => x.maximum(1),
    minimum: (x) => x.minimum(1),
    clamp: (x) => x.clamp(0, 1),
    detach: (x) => x.detach(),
  };
  for (const op of functions) steps[op] = (x) => (x[op as keyof Value] as () => Value)();
  for (const [op, step] of Object.entries(steps)) {
    const [, line = ""] = linesOf([op as "p"], [], (argument) => ({ y: argument.x.mul(step(argument[op as "p"])) }));
    expect(line.match(new RegExp(`\\b${op}\\b`, "g"))?.length, line).toBe(1);
  }
});

test("names that every object has are names", () => {
  const lines = linesOf(["valueOf", "constructor"], ["v"], ({ x, v, constructor: a, valueOf: b }) => ({
    v: v.mul(a).add(x.mul(b)),
  }));
  expect(lines).toEqual([
    "Step",
    "v′ = v·constructor + x·valueOf",
    "backward",
    "∇x = ∂v′·valueOf",
    "∇v = ∂v′·constructor",
    "∇valueOf += ∂v′·x",
    "∇constructor += ∂v′·v",
  ]);
});

test("a minus sign stands before a product, and not twice in a row", () => {
  const lines = linesOf(["a", "b"], [], ({ x, a, b }) => ({
    y: a.mul(x.neg()).add(x.neg().mul(0.5)),
    z: x.detach().neg().mul(a).div(b).neg(),
    w: x.detach().neg().div(a).mul(b).sub(x.neg().neg()),
  }));
  expect(lines.slice(1, 6)).toEqual([
    "y = −a·x − 0.5·x",
    "x1 = −detach(x)·a / b",
    "z = −x1",
    "x2 = −detach(x) / a",
    "w = x2·b − x",
  ]);
  expect(linesOf(["a"], [], ({ x, a }) => ({ y: a.sub(x.mul(a.add(1)).neg().mul(-0.5)) }))[1]).toBe(
    "y = a + 0.5·(−x·(a + 1))",
  );
});

test("brackets tell the order of operations", () => {
  const first = (step: Parameters<typeof linesOf<"a" | "b", never>>[2]): string | undefined =>
    linesOf(["a", "b"], [], step)[1];
  expect(first(({ x, a, b }) => ({ z: x.add(a.add(b)).add(x.mul(a.mul(b))) }))).toBe("z = x + (a + b) + x·(a·b)");
  expect(first(({ a, b }) => ({ z: a.square().detach().sqrt().add(b.sqrt().square()) }))).toBe(
    "z = √detach(a²) + (√b)²",
  );
  expect(first(({ a }) => ({ z: a.pow(3).square().add(a.square().pow(-1.5)) }))).toBe("z = (a^3)² + (a²)^−1.5");
  expect(first(({ a, b }) => ({ z: a.div(b).div(a.reciprocal()) }))).toBe("z = a / b / (1 / a)");
});

test("initial values other than 0 have a line, a tensor without its values", () => {
  const { traced } = new Program(
    stepOf({
      name: "Step",
      inputs: ["x"],
      states: ["v", "w", "r", "q", "t", "z"],
      parameters: { rest: "scalar", beta: "column" },
      step: ({ x, v, w, r, q, t, z, beta }) => ({ v: v.mul(beta).add(x), w, r, q, t, z }),
    }),
  );
  const initial = [
    ({ rest, beta }: Record<"rest" | "beta", Value>) => rest.mul(beta),
    -65,
    () => 0,
    () => tensor([1, 2, 3]),
    () => 2,
    -0,
  ];
  const lines = print(traced, "", initial).split("\n");
  expect(lines.filter((line) => line.includes("[0]"))).toEqual([
    "  v[0] = rest·β",
    "  w[0] = −65",
    "  q[0] = …",
    "  t[0] = 2",
  ]);
  expect(lines[1]).toBe("  v[0] = rest·β");
});

test("an initial value that is none throws", () => {
  const { traced } = new Program(
    stepOf({
      name: "Step",
      inputs: ["x"],
      states: ["v"],
      parameters: { p: "scalar" },
      step: ({ x, v, p }) => ({ v: v.mul(p).add(x) }),
    }),
  );
  expect(() => print(traced, "", [() => undefined])).toThrow("Step: ");
  const missing = ({ p }: Record<"p", Value>) => (p as unknown as Tensor).sum();
  expect(() => print(traced, "", [missing])).toThrow(TypeError);
});

test("each gradient has a name of its own, whatever the names of the step", () => {
  const names = ["d", "I", "s", "u", "r", "dv", "∂u", "∇d", "∇u", "∇σ(d)", "v", "v′", "v[0]", "2", ""] as const;
  const parameters = ["w", "∇w", "∂w", "w·u"] as const;
  const lines = linesOf(parameters, names, (argument) => {
    const sum = names.reduce((sum: Value, name, i) => sum.add(argument[name].mul(i + 2)), argument.x);
    const y = parameters.reduce((product: Value, name) => product.mul(argument[name].sigmoid()), sum);
    const states = Object.fromEntries(names.map((name, i) => [name, argument[name].mul(y).add(i)]));
    return { ...states, membrane: y, current: y.exp(), "∇x": y.sin(), "∂s": y.cos() };
  });
  const left = lines.filter((line) => / \+?= /.test(line)).map((line) => line.split(" ")[0] as string);
  expect(new Set(left).size, left.join(" ")).toBe(left.length);
  expect(left).toEqual(expect.arrayContaining(["∇d", "∇I", "∇s", "∇w", "_d′", "v_0_′", "_′"]));
  // ∂x, the gradient that arrives from outside, has no line.
  const arriving = new Set(lines.join("\n").match(/∂[\p{L}\p{N}_]+′?/gu));
  expect(left.filter((name) => arriving.has(name))).toEqual([]);
  for (const line of lines) expect(line).not.toMatch(/[∇∂]{2}/);
});
