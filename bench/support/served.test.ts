/** Programs that serve rows to `npm run bench -- --against`: each row takes a step here. */
import { expect, test, vi } from "vitest";
import type { Run } from "./serve.ts";

class Served extends Error {
  readonly rows: Readonly<Record<string, Run>>;

  constructor(rows: Readonly<Record<string, Run>>) {
    super("served");
    this.rows = rows;
  }
}

/** A program ends where it serves, and gives its rows to the test. */
vi.mock("./serve.ts", async (original) => ({
  ...(await original<object>()),
  serve: (rows: Readonly<Record<string, Run>>) => {
    throw new Served(rows);
  },
}));

/** Networks that are trained before they are measured take few steps here. */
vi.mock("../../demos/mnist/data.ts", async (original) => {
  const { mnist } = await original<typeof import("../../demos/mnist/data.ts")>();
  return { mnist: (split: "train" | "t10k", count: number) => mnist(split, Math.min(count, 256)) };
});

const PROGRAMS: Readonly<Record<string, () => Promise<unknown>>> = {
  neurons: () => import("../neurons.bench.ts"),
  models: () => import("../models.bench.ts"),
  plasticity: () => import("../plasticity.bench.ts"),
  int8: () => import("../int8.bench.ts"),
  layers: () => import("../layers.bench.ts"),
  make: () => import("../make.bench.ts"),
  playground: () => import("../against/playground.ts"),
  fit: () => import("../against/fit.ts"),
};

test.each(Object.entries(PROGRAMS))("served: every row of %s takes a step", async (_, load) => {
  const served = await load().catch((error: unknown) => error);
  if (!(served instanceof Served)) throw served;
  const names = Object.keys(served.rows);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(await served.rows[name]?.(1), name).toBeGreaterThan(0);
});
