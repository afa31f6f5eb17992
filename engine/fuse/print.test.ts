import { expect, test } from "vitest";
import { stepOf } from "../../test/support/fused.ts";
import { type Derivative, Program, print, type StepDefinition } from "./index.ts";

const SYMBOLS = { current: "I", spikes: "s", membrane: "u", threshold: "θ" };
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
  du = ∂u + dv′ + x2
  dI = du
  dv = du·β
  dβ += du·v
  dθ += −dv′·s − x2`);
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
  ds = ∂s + da′
  x2 = ds·(1 / ((3.1415927·x1)² + 1))
  du = ∂u + dv′ + x2
  dI = du
  dv = du·β
  da = da′·ρ − x2·κ
  dβ += du·v
  dρ += da′·a
  dθ += −dv′·s − x2
  dκ += −x2·a`);
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
  ds = ∂s + dv′·(−0.5 − u)
  du = ∂u + (0 if s else dv′) + ds·2^(−7·|x3|)
  dI = du
  x4 = (0 if x1 > 3 else du·sharpness·x2)·(0.5 if x1 = 3 else 1)
  x5 = x4 / sharpness
  dv = du·σ(w) + x5
  dsharpness += du·x2 − x4·x1 / sharpness
  dθ += −x5
  dσ(w) += du·v`);
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
  dx = (x2 if x1 else 0) − 5·(−∂products) + 2·∂products / 3 − 0.5·∂numbers
  x3 = ∂choices if y else 0
  da += x3 if x else 0
  db += 0 if x else x3
  d(a − b) += −∂products
  d(−a / b) += ∂products
  d(−b) += 0 if x1 else x2`);
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
  x2 = ∂y·softplus′(x1)
  dx = ∂z·(x^−1.5)′ + ∂z·sin′(x) + x2·p
  dp += x2·x`);
});
