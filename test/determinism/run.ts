/** What every engine has to agree on, bit for bit. */
import { concat, LeakyIntegrator, LIF, type Module, noGrad, RecurrentLIF } from "jarvis-snn";
import { arithmetic } from "jarvis-snn/kernels";
import { networks, type Trained } from "./networks.ts";

/** SHA-256 of float32 values, little-endian. */
export interface Hashes {
  /** Values of `stateDict` after training, in their order, without the options of LIF layers that are not learned. */
  weights: string;
  /** The outputs of all samples in one batch, the time loop inside the kernels … */
  outputs: string;
  /** … in batches of 1, 2, 3, … samples … */
  byBatches: string;
  /** … and one time step after the other. All three are the same. */
  bySteps: string;
}

/** Trains the network of that name and hashes what it has become. */
export async function measure(name: string): Promise<Hashes> {
  const trained = await (networks[name] as () => Trained | Promise<Trained>)();
  trained.model.eval();
  const weights = weightsOf(trained.model);
  return {
    weights: await hash(weights),
    outputs: await hash(outputs(trained)),
    byBatches: await hash(outputsByBatches(trained)),
    bySteps: await hash(outputsBySteps(trained)),
  };
}

function weightsOf(model: Module): number[] {
  const isLIF = (layer: Module) =>
    layer instanceof LIF || layer instanceof RecurrentLIF || layer instanceof LeakyIntegrator;
  const layers = model.namedModules().filter(([, layer]) => isLIF(layer));
  const learned = new Set(model.namedParameters().map(([name]) => name));
  const isOption = (name: string) => !learned.has(name) && layers.some(([layer]) => name.startsWith(`${layer}.`));
  const kept = Object.entries(model.stateDict()).filter(([name]) => !isOption(name));
  return kept.flatMap(([, { data }]) => [...data]);
}

/** The hashes of all networks, by name, to be compared with those of other machines. */
export async function measureAll(): Promise<Record<string, Hashes>> {
  if (arithmetic !== "portable") throw new Error(`determinism: expected portable kernels, got ${arithmetic} ones`);
  const all: Record<string, Hashes> = {};
  for (const name of Object.keys(networks)) all[name] = await measure(name);
  return all;
}

function outputs({ model, inputs }: Trained): Float32Array {
  return noGrad(() => model.forward(inputs).toFloat32Array());
}

function outputsByBatches({ model, inputs }: Trained): Float32Array {
  const N = inputs.shape[1] as number;
  return noGrad(() => {
    const parts = [];
    for (let start = 0, size = 1; start < N; start += size++) {
      parts.push(model.forward(inputs.slice(1, start, Math.min(start + size, N))));
    }
    return concat(parts, 0).toFloat32Array();
  });
}

function outputsBySteps({ stepwise, inputs }: Trained): Float32Array {
  return noGrad(() => stepwise(inputs).toFloat32Array());
}

async function hash(values: ArrayLike<number>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", Float32Array.from(values));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
