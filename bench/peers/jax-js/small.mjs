/** The small step in jax-js. */
import { initialWeights, SMALL, smallBatch } from "../data.mjs";
import { serve } from "../serve.mjs";
import { TITLE, trainingStep } from "./snn.mjs";

const data = { weights: initialWeights(SMALL.sizes), ...smallBatch(SMALL) };
await serve(TITLE, { step: trainingStep({ ...SMALL, ...data, lr: 1e-3, spikes: true }) });
