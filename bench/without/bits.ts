/** Digests of what whole steps of training leave behind: the values and gradients of all parameters after a number of steps. */
import { createHash } from "node:crypto";
import { manualSeed } from "jarvis-snn";
import { type Run, serve } from "../support/serve.ts";
import { STEPS } from "../support/steps.ts";
import type { Step } from "../support/training.ts";

/** In the place of milliseconds the first 48 bits of a SHA-256, as an integer. */
const digestOf =
  (make: () => Step): Run =>
  (count) => {
    manualSeed(0);
    const { step, leaves, prepare } = make();
    prepare?.();
    for (let i = 0; i < count; i++) step();
    const digest = createHash("sha256");
    for (const leaf of leaves) digest.update(leaf.toFloat32Array()).update(leaf.grad?.toFloat32Array() ?? "none");
    return Number.parseInt(digest.digest("hex").slice(0, 12), 16);
  };

await serve(Object.fromEntries(Object.entries(STEPS).map(([name, make]) => [name, digestOf(make)])));
