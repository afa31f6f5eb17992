import { expect, test } from "vitest";
import { firingCurve, LIF, Recurrent, rasterText, tensor, traceText, zeros } from "../../index.ts";
import { AdaptiveLIF } from "../../test/support/neurons.ts";

/** Rows of text as spikes [T, 1, N], a column a step. */
const spikesOf = (...rows: string[]) =>
  tensor(Array.from(rows[0] as string, (_, t) => [rows.map((row) => (row[t] === "x" ? 1 : 0))]));

test("rasterText: a dot is a spike, two steps and four neurons a character", () => {
  const spikes = spikesOf("x..x", ".x..", "..x.", "...x", "xxxx");
  expect(rasterText(spikes)).toBe(["0 ┤⠑⢌", "4 ┤⠉⠉", "  └──", "   0"].join("\n"));
});

test("rasterText: where there are more spikes than dots, a dot stands for several", () => {
  const spikes = zeros([400, 2, 100]);
  spikes.data[(399 * 2 + 1) * 100 + 99] = 1;
  spikes.data[1 * 100] = 1;
  const text = rasterText(spikes, { sample: 1, width: 10, height: 2 });
  const blank = "⠀".repeat(9);
  expect(text).toBe([` 0 ┤⠁${blank}`, `99 ┤${blank}⢀`, "   └──────────", "    0      399"].join("\n"));
});

test("traceText: a line from value to value, with its bounds beside it", () => {
  const text = traceText(tensor([0, 1, 2, 3]).reshape([4, 1, 1]), { height: 1 });
  expect(text).toBe(["3 ┤⡠⠊", "  └──", "   0"].join("\n"));
  expect(traceText(tensor([1, 1]), { height: 3 })).toBe(["  │⠀", "1 ┤⠒", "  │⠀", "  └─", "   0"].join("\n"));
  expect(traceText(tensor([Number.NaN, 1, Number.NaN]), { height: 1 })).toMatch(/^1 ┤/);
});

test("text: errors name what there is", () => {
  expect(() => rasterText(zeros([3, 2, 4]), { sample: 2 })).toThrow(
    "rasterText: expected a sample below 2, got 2 of [3, 2, 4]",
  );
  expect(() => traceText(zeros([3, 2, 4]), { neuron: 4 })).toThrow("traceText: expected a neuron below 4, got 4");
  expect(() => rasterText(zeros([]))).toThrow(RangeError);
  expect(() => rasterText(zeros([3]), { width: 0 })).toThrow(
    "rasterText: width must be an integer in [1, 1000], got 0",
  );
  expect(() => rasterText(1 as never)).toThrow(TypeError);
});

test("firingCurve: rates of a LIF at constant currents, against a loop in float64", () => {
  const currents = [0, 0.04, 0.1, 0.3, 0.7, 1.5];
  const { rates } = firingCurve(new LIF({ beta: 0.9, reset: "subtract" }), currents, { timesteps: 300, discard: 50 });
  const expected = currents.map((I) => {
    let [v, count] = [0, 0];
    for (let t = 0; t < 300; t++) {
      const u = Math.fround(Math.fround(v * Math.fround(0.9)) + Math.fround(I));
      if (u >= 1 && t >= 50) count++;
      v = u >= 1 ? Math.fround(u - 1) : u;
    }
    return count / 250;
  });
  expect([...rates]).toEqual(expected);
  expect(expected.at(-1)).toBeGreaterThan(expected[2] as number);
});

test("firingCurve: neurons of one's own and recurrent ones, and errors", () => {
  const adaptive = firingCurve(new AdaptiveLIF(), [1], { timesteps: 200 });
  const plain = firingCurve(new LIF(), Float32Array.of(1), { timesteps: 200 });
  expect(adaptive.rates[0]).toBeLessThan(plain.rates[0] as number);
  const recurrent = new Recurrent(new LIF(), { features: 3, bias: false });
  expect(firingCurve(recurrent, [0, 2], { features: 3 }).rates).toEqual(Float64Array.of(0, 1));
  expect(() => firingCurve(recurrent, [1])).toThrow(RangeError);
  expect(() => firingCurve(new LIF(), [])).toThrow("firingCurve: expected at least one current, got none");
  expect(() => firingCurve(new LIF(), [1], { discard: 500 })).toThrow(
    "expected discard below the 500 timesteps, got 500",
  );
  expect(() => firingCurve({} as never, [1])).toThrow(TypeError);
});
