/** The small step in plain JavaScript. */
import { initialWeights, SMALL, smallBatch } from "../data.mjs";
import { serve } from "../serve.mjs";
import { SmallNetwork } from "./small-network.mjs";

const network = new SmallNetwork({ ...SMALL, weights: initialWeights(SMALL.sizes), ...smallBatch(SMALL) });
await serve("plain JavaScript", { step: () => network.step() });
