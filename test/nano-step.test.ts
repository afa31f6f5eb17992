/** The step that `npm run walks` counts trains nano's network. */
import { expect, test } from "vitest";
import { type Tensor, toy } from "../demos/nano/nano.ts";
import { nanoStep } from "../scripts/nano-step.mjs";

const [INPUTS, B, STEPS] = [32, 64, 10];

test("nano-step: starts with nano's weights, has its losses to 10⁻⁵, and moves its weights with those of nano", () => {
  const [one, other] = [nanoStep(3), toy(3)];
  const pairs = one.weights.map((w, i) => [w, other.weights[i] as Tensor] as const);
  for (const [w, theirs] of pairs) expect(Array.from(w.data)).toEqual(Array.from(theirs.data));
  const x = Float32Array.from({ length: B * INPUTS }, (_, i) => ((37 * i) % 101) / 101);
  const y = Uint8Array.from({ length: B }, (_, b) => b & 1);
  const input = one.input(x);
  for (let step = 0; step < STEPS; step++) expect(one.step(input, y)).toBeCloseTo(other.step(x, y), 5);
  for (const [w, theirs] of pairs) {
    const differences = w.data.map((value, at) => Math.abs(value - (theirs.data[at] as number)));
    expect(Math.max(...differences)).toBeLessThan(1e-4);
  }
});
