import { expect, test } from "vitest";
import { parse } from "./language.ts";
import { TypedNeuron } from "./model.ts";
import { PRESETS } from "./presets.ts";
import { sceneOf, stepsOf } from "./scene.ts";

const current = (steps: number) => new Float32Array(steps).fill(0.1);

test("the presets show the longest current to its end", () => {
  for (const { name, text } of PRESETS) expect([name, stepsOf(parse(text), current(2000))]).toEqual([name, 2000]);
});

test("a scene shows as many steps as its operations allow, and the cursor lies in them", () => {
  const sines = Array.from({ length: 9 }, (_, i) => `x${i + 1} = sin(x${i})`).join("\n");
  const equations = parse(`x0 = v + I\n${sines}\nv′ = x9`);
  const { operations, doubles } = equations.cost;
  expect(doubles).toBe(9);
  const steps = stepsOf(equations, current(2000));
  expect(steps).toBeLessThan(1500);
  expect((operations + 32 * doubles) * steps).toBeLessThanOrEqual(600_000);
  expect(stepsOf(equations, current(400))).toBe(400);

  const typed = new TypedNeuron(equations);
  const scene = sceneOf(typed, current(2000), 1900);
  expect([scene.current.length, scene.run.membrane.length, scene.credit.current.length]).toEqual([steps, steps, steps]);
  expect(scene.at).toBe(steps - 1);
  typed.dispose();
});
