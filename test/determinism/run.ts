/** The toy network after fifty training steps, as one number: what every engine has to agree on, bit for bit. */
import { crossEntropy, tape } from "jarvis-snn";
import { DEFAULTS, prepareToy, type ToyNetwork } from "../../demos/toy/network.ts";

const STEPS = 50;

/** SHA-256 of all parameters, in their order, as little-endian float32. */
export async function weightsHash(): Promise<string> {
  const weights = train()
    .parameters()
    .flatMap((parameter) => [...parameter.toFloat32Array()]);
  const digest = await crypto.subtle.digest("SHA-256", Float32Array.from(weights));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The first fifty steps of `npm start`, without the pauses between batches. */
function train(): ToyNetwork {
  const { model, trainLoader, encode, optimizer } = prepareToy(DEFAULTS);
  let steps = 0;
  while (steps < STEPS) {
    for (const { x, y } of trainLoader) {
      if (steps++ === STEPS) break;
      tape(() => {
        const loss = crossEntropy(model.forward(encode(x)), y);
        optimizer.zeroGrad();
        loss.backward();
      });
      optimizer.step();
    }
  }
  return model;
}
