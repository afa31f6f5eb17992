/** The toy network after fifty training steps, as one number: what every engine has to agree on, bit for bit. */
import {
  Adam,
  crossEntropy,
  LIF,
  Linear,
  manualSeed,
  meanOverTime,
  poissonEncode,
  rand,
  Sequential,
  tape,
  tensor,
} from "jarvis-snn";

const STEPS = 50;
const BATCH = 128;
const FEATURES = 32;
const TIMESTEPS = 25;

/** SHA-256 of all parameters, in their order, as little-endian float32. */
export async function weightsHash(): Promise<string> {
  const model = train();
  const weights = [...model.parameters()].flatMap((parameter) => [...parameter.toFloat32Array()]);
  const digest = await crypto.subtle.digest("SHA-256", Float32Array.from(weights));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Two classes of inputs that differ in their mean, freshly drawn and Poisson coded in every step. */
function train(): Sequential {
  manualSeed(0);
  const model = new Sequential(new Linear(FEATURES, 128), new LIF(), new Linear(128, 2), new LIF());
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const labels = Array.from({ length: BATCH }, (_, i) => i % 2);
  const shift = tensor(labels.map((label) => [0.4 * label]));
  for (let step = 0; step < STEPS; step++) {
    tape(() => {
      const x = rand([BATCH, FEATURES]).mul(0.6).add(shift);
      const spikes = model.forward(poissonEncode(x, { timesteps: TIMESTEPS }));
      crossEntropy(meanOverTime(spikes), labels).backward();
      optimizer.step();
      optimizer.zeroGrad();
    });
  }
  return model;
}
