import { describe, expect, test } from "vitest";
import { runForward } from "../../test/support/fused.ts";
import { allocateInScope } from "../core/scope.ts";
import { emptyOf, type Tensor } from "../core/tensor.ts";
import { tape, tensor } from "../index.ts";
import { derivativeOf, levelOf, withDerivatives } from "./derive.ts";
import { Program } from "./program.ts";
import { runOnTensors } from "./tensors.ts";
import type { Language, Value } from "./terms.ts";
import { derive } from "./trace.ts";

type Argument = Language & Readonly<Record<"current" | "v" | "a" | "beta" | "rho", Value>>;

const triangle = (x: Value): Value => x.abs().mul(-0.5).add(1).relu();

/** Formulas, choices, a spike, detached values, and a state that no other value reaches. */
const definition = {
  name: "step",
  inputs: ["current"],
  states: ["v", "a", "count"],
  parameters: { beta: "scalar" as const, rho: "column" as const },
  packed: ["spikes"],
  step({ current, v, a, count, beta, rho, spike, where, softplus }: Argument & { count: Value }) {
    const u = v.mul(beta).add(current.sin()).sub(softplus(a).mul(0.3));
    const s = spike(u.sub(a.clamp(-0.5, 0.5)), triangle);
    return {
      spikes: s,
      membrane: u.exp().maximum(current),
      v: where(s.detach(), u.mul(0.5), u.tanh()),
      a: a.mul(rho).add(s.mul(v)),
      count: count.add(1).detach(),
    };
  },
};
const OUTPUTS = ["v", "a", "count", "spikes"];
const SHAPE = [3, 5];
const SIZE = 15;

const numbers = (seed: number): Float32Array =>
  Float32Array.from({ length: SIZE }, (_, i) => Math.sin(seed + 1.7 * i) * 1.5);

describe("a step with its derivatives", () => {
  const { traced } = new Program(definition as never);
  const whole = withDerivatives(traced.definition, OUTPUTS);
  const program = new Program(whole);
  const names = [...program.traced.outputs.keys()];

  test("leaves out what is 0", () => {
    const all = OUTPUTS.flatMap((z) => ["current", "v", "a", "count"].map((x) => [z, x] as const));
    const present = all.filter(([z, x]) => levelOf(program.traced, z, x) !== undefined).map(([z, x]) => `${z} ${x}`);
    expect(present).toEqual([
      "v current",
      "v v",
      "v a",
      "a current",
      "a v",
      "a a",
      "spikes current",
      "spikes v",
      "spikes a",
    ]);
  });

  test("gives those of a tape for each element", () => {
    tape(() => {
      const values = Object.fromEntries(["current", "v", "a", "count"].map((name, i) => [name, numbers(i)]));
      const parameters = { beta: tensor(0.8), rho: tensor([0.5, 0.6, 0.7, 0.8, 0.9]) };
      const outputs = Object.fromEntries(names.map((name) => [name, emptyOf(SHAPE)]));
      const bits = allocateInScope(64);
      const at = (name: string) => tensor(values[name] as Float32Array, { shape: SHAPE }).ptr;
      runForward(program.compile(null), {
        T: 1,
        rows: 3,
        n: 5,
        inputs: [{ at: at("current"), step: 0 }],
        parameters: derive(program.traced, parameters).map((t) => t.ptr),
        from: ["v", "a", "count"].map(at),
        saved: [],
        to: [0, 0, 0],
        outputs: { ...Object.fromEntries(names.map((name) => [name, (outputs[name] as Tensor).ptr])), spikes: bits },
      });
      for (const z of ["v", "a", "spikes"]) {
        tape(() => {
          const leaves = Object.fromEntries(
            Object.entries(values).map(([name, list]) => [name, tensor(list, { shape: SHAPE, requiresGrad: true })]),
          );
          const { current, ...states } = leaves as Record<string, Tensor>;
          const run = runOnTensors(traced.definition, {
            inputs: { current: (current as Tensor).unsqueeze(0) },
            states,
            parameters,
          });
          run.outputs[z]?.sum().backward();
          for (const x of ["current", "v", "a"]) {
            const got = (outputs[derivativeOf(z, x)] as Tensor).toFloat32Array();
            const wanted = leaves[x]?.grad?.toFloat32Array() as Float32Array;
            expect(
              wanted.some((value) => value !== 0),
              `∂${z}/∂${x}`,
            ).toBe(true);
            wanted.forEach((value, i) => {
              expect(got[i], `∂${z}/∂${x} at ${i}`).toBeCloseTo(value, 5);
            });
          }
        });
      }
    });
  });

  test("may have some of them alone, and only the outputs that these are of", () => {
    const wanted = [derivativeOf("spikes", "v")];
    const { outputs } = new Program(withDerivatives(traced.definition, ["spikes"], wanted)).traced;
    expect([...outputs.keys()]).toEqual(["spikes", "v", "a", "count", ...wanted]);
  });

  test("tells constants from values", () => {
    const linear = {
      ...definition,
      packed: [],
      states: ["v", "a"],
      step: ({ current, v, a, beta, rho }: Argument) => ({
        v: v.mul(beta).add(current),
        a: a.mul(rho).add(v.square()),
      }),
    };
    const { traced: levels } = new Program(withDerivatives(linear as never, ["v", "a"]));
    expect(levelOf(levels, "v", "v")).toBe(1);
    expect(levelOf(levels, "v", "current")).toBe(0);
    expect(levelOf(levels, "a", "a")).toBe(2);
    expect(levelOf(levels, "a", "v")).toBe(3);
  });
});
