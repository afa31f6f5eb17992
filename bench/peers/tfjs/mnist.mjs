/** The step of tutorial 5 in TF.js: on images as a constant current, and on spikes that are drawn from them. */
import { initialWeights, mnistBatch, TUTORIAL } from "../data.mjs";
import { serve } from "../serve.mjs";
import { TITLE, trainingStep } from "./snn.mjs";

const data = { weights: initialWeights(TUTORIAL.sizes), ...mnistBatch(TUTORIAL.B) };
const step = (draws) => trainingStep({ ...TUTORIAL, ...data, lr: 5e-4, spikes: false, draws });
await serve(TITLE, { static: step(false), poisson: step(true) });
