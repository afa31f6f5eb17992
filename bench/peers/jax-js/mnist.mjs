/** The step of tutorial 5 in jax-js. */
import { initialWeights, mnistBatch, TUTORIAL } from "../data.mjs";
import { serve } from "../serve.mjs";
import { TITLE, trainingStep } from "./snn.mjs";

const data = { weights: initialWeights(TUTORIAL.sizes), ...mnistBatch(TUTORIAL.B) };
await serve(TITLE, { static: trainingStep({ ...TUTORIAL, ...data, lr: 5e-4, spikes: false }) });
