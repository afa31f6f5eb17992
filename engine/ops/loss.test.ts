/** Losses beyond their table rows: targets that lie in linear memory. */
import { expect, test } from "vitest";
import { random, values } from "../../test/support/tensors.ts";
import { crossEntropy, memoryStats, type Tensor, tape, tensor } from "../index.ts";

test("crossEntropy: labels in linear memory serve even where their copy makes the memory grow", () => {
  const rows = 1000;
  const logits = random([rows, 3], 21);
  const plain = Array.from({ length: rows }, (_, i) => i % 3);
  const labels = tensor(plain);
  const losses = (target: ArrayLike<number> | Tensor) => values(crossEntropy(logits, target, { reduction: "none" }));
  const expected = tape(() => losses(plain));
  const { reserved } = memoryStats();
  tape(() => {
    // The memory grows several times, so that each of the allocations meets it.
    for (let i = 0; memoryStats().reserved < reserved + 4 * 2 ** 20; i++) {
      if (i > 100_000) expect.fail("the memory did not grow");
      expect(losses(i % 2 === 0 ? labels : labels.data)).toEqual(expected);
    }
  });
});
