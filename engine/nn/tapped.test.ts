import { expect, test } from "vitest";
import { values } from "../../test/support/tensors.ts";
import { Linear, Module, ones, Sequential, tape, tensor } from "../index.ts";
import { shown } from "../ops/shown.ts";
import { tapped } from "./tapped.ts";

class Doubled extends Module {
  forward(x: ReturnType<typeof ones>) {
    return x.mul(2);
  }
}

test("tapped: a watcher sees each call within the model, and gives another tensor in the place of a result", () => {
  const model = new Sequential(new Doubled(), new Sequential(new Doubled()));
  const seen: string[] = [];
  const z = tapped(
    model,
    {
      calls: (module, path) =>
        module instanceof Doubled
          ? ({ method, x, run }) => {
              seen.push(`${path} ${method} ${values(x as typeof z)}`);
              const result = run();
              return path === "0" ? tensor([5]) : result;
            }
          : null,
    },
    () => model.forward(ones([1])),
  );
  expect(seen).toEqual(["0 forward 1", "1.0 forward 5"]);
  expect(values(z)).toEqual([10]);
  expect(values(model.forward(ones([1])))).toEqual([4]);
});

test("tapped: methods come back after an error, those that a module had as its own too, and a frozen module is refused", () => {
  const own = new Doubled();
  const frozen = new Doubled();
  Object.freeze(frozen);
  const forward = (x: ReturnType<typeof ones>) => x.mul(3);
  own.forward = forward;
  const calls = () => () => {
    throw new Error("seen");
  };
  expect(() => tapped(own, { calls }, () => own.forward(ones([1])))).toThrow("seen");
  expect(own.forward).toBe(forward);
  const model = new Sequential(own, frozen);
  expect(() => tapped(model, { calls }, () => 1)).toThrow("forward: expected no frozen module, got Doubled");
  expect(own.forward).toBe(forward);
  expect(tapped(model, {}, () => 1)).toBe(1);
});

test("shown: the gradient of a tensor on record is seen as it arrives, and a leaf is left to its grad", () => {
  const layer = new Linear(2, 1, { bias: false });
  const seen: number[][] = [];
  tape(() => {
    const x = ones([2], { requiresGrad: true });
    const z = shown(layer.forward(shown(x, () => seen.push([]))), (gradient) => seen.push(values(gradient)));
    z.mul(3).sum().backward();
  });
  expect(seen).toEqual([[3]]);
});
