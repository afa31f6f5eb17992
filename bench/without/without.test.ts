import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Peer } from "../support/peer.ts";
import { block, changing, fastest, lines, others, select, table, times } from "./without.ts";

const STEPS = ["toy", "mnist static", "mnist poisson", "conv"];

test("select: mechanisms by name, steps by how their names begin, all of a kind that is not named", () => {
  expect(select(["masks", "mnist"], STEPS)).toEqual({
    mechanisms: ["masks"],
    steps: ["mnist static", "mnist poisson"],
  });
  expect(select(["toy"], STEPS).mechanisms).toContain("gather");
  expect(select(["gather", "masks"], STEPS)).toEqual({ mechanisms: ["gather", "masks"], steps: STEPS });
  expect(() => select(["speed"], STEPS)).toThrow(/^bench: expected some of gather, .*, conv, got speed$/);
});

test("changing: the mechanisms that a step may reach", () => {
  expect(changing("toy", ["masks", "places", "gather"])).toEqual(["masks", "gather"]);
  expect(changing("seed3-conv2", ["masks", "places", "gather"])).toEqual(["places", "gather"]);
});

/** A build in which a step takes so long, or leaves this digest behind; `asked` gets the number of its steps. */
function build(value: number, asked: number[] = []): Peer {
  return {
    title: "",
    ask: async (_step, count) => {
      asked.push(count);
      return value;
    },
    close: () => {},
  };
}

test("others: the mechanisms without which bits differ, of those that a step may reach", async () => {
  const without = new Map(Object.entries({ gather: build(7), masks: build(8), places: build(9) }));
  expect(await others({ base: build(7), without }, "toy")).toEqual(["masks"]);
});

test("times: of each build that a step may tell apart, by as many steps", async () => {
  const asked = { base: [] as number[], gather: [] as number[] };
  const without = new Map(Object.entries({ gather: build(30, asked.gather), places: build(1) }));
  expect(await times({ base: build(10, asked.base), without }, "toy")).toEqual({ "": 10, gather: 30 });
  // Single steps warm up and tell how many fill a turn.
  const turns = (counts: number[]) => counts.filter((count) => count > 1);
  expect(turns(asked.gather)).toEqual(turns(asked.base));
  expect(new Set(turns(asked.gather))).toEqual(new Set([2]));
});

test("fastest: of each build the fastest pass, against that of the package as it is", () => {
  const prices = fastest([
    { "": 10, gather: 33, masks: 12 },
    { "": 11, gather: 30, masks: 15 },
  ]);
  expect(prices).toEqual({ ms: 10, times: { gather: 3, masks: 1.2 } });
  expect(lines("toy", prices)).toBe("toy, 10.0 ms: gather 3.000, masks 1.200");
});

test("table: a row for each mechanism that was measured, with the step to which it matters most", () => {
  const measured = {
    toy: { ms: 1, times: { masks: 1.2, gather: 0.9 } },
    small: { ms: 1, times: { masks: 1.01, gather: 4 } },
    conv: { ms: 1, times: { gather: 1.5 } },
  };
  expect(table(measured).split("\n")).toEqual([
    "| mechanism                                  | most        | median | least | steps in which it pays |",
    "| ------------------------------------------ | ----------- | ------ | ----- | ---------------------- |",
    "| products add up the rows of non-zeros      | 4.00, small | 1.50   | 0.90  | 2 of 3                 |",
    "| spikes are masks for four outputs or fewer | 1.20, toy   | 1.20   | 1.01  | 1 of 2                 |",
  ]);
});

test("the figures of docs/decisions/products.md are those that are stored", () => {
  const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
  expect(read("docs/decisions/products.md")).toContain(
    `${block(JSON.parse(read("bench/results/without.json")))}\n<!--`,
  );
});
