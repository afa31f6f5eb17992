/**
 * Peers that train take the steps that we take: from our parameters, on our spikes, the gradients of the first step agree, and the losses of the
 * next ones. A peer that is not there is named, and its tests are left out.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Adam,
  constantEncode,
  crossEntropy,
  full,
  type Linear,
  type Module,
  manualSeed,
  meanOverTime,
  noGrad,
  poissonEncode,
  rand,
  spikeCount,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import { afterAll, expect, test } from "vitest";
import { MnistNetwork, membraneLoss } from "../../demos/mnist/network.ts";
import { DEFAULTS, prepareToy } from "../../demos/toy/network.ts";
import { DEEP, type DeepName } from "../support/deep-training.ts";
import { modelOf, type Network } from "../support/networks.ts";
import { type Families, type Peer, PeerMissing, startFamilies, startPeer } from "../support/peer.ts";
import { convNetwork, RecurrentNetwork, smallNetwork } from "../support/trained.ts";
import { labels, mnistBatch, mnistFiles } from "../support/training.ts";
import { type Family, PEERS, type PeerName } from "../targets.ts";
import { initialWeights, TUTORIAL } from "./data.mjs";

const STEPS = 4;

/** A workload of a family with our parameters, and our spikes where it draws them. */
interface Case {
  readonly workload: string;
  readonly model: Module;
  readonly lr: number;
  /** Spikes, or images, that the peer reads instead of drawing them. */
  readonly spikes?: Tensor;
  loss(): Tensor;
}

/** Results of the steps of a case: gradients of the first step, flat, for each parameter, and all losses. */
interface Taken {
  readonly gradients: readonly Float32Array[];
  readonly losses: readonly number[];
}

interface Checked {
  readonly family: Family;
  readonly args: readonly string[];
  readonly peers: readonly PeerName[];
  /**
   * Steps whose losses are compared, default `STEPS`. In deep networks the last bits of a weight change spikes: the losses of the two forms of
   * PyTorch, whose gradients agree, differ by some percent from the third step on.
   */
  readonly steps?: number;
  /** Cases are made when their test runs. */
  cases(): Case[];
}

const drawn = (rates: Tensor, timesteps: number): Tensor => noGrad(() => poissonEncode(rates, { timesteps }));

function toy(): Case[] {
  const { model, lr } = { ...prepareToy(DEFAULTS), ...DEFAULTS };
  const spikes = drawn(rand([128, 32]), 25);
  return [{ workload: "step", model, lr, spikes, loss: () => crossEntropy(model.forward(spikes), labels(128, 2)) }];
}

function small(): Case[] {
  manualSeed(0);
  const model = smallNetwork();
  const spikes = drawn(rand([64, 20]), 20);
  const loss = () => crossEntropy(meanOverTime(model.forward(spikes)), labels(64, 2));
  return [{ workload: "step", model, lr: 1e-3, spikes, loss }];
}

/** The seeds keep all 3.2 million membranes 2·10⁻⁶ away from the threshold, so that sums in another order make the same spikes. */
function tutorial(): Case[] {
  const { x, y } = mnistBatch(128);
  const lr = 5e-4;
  manualSeed(42);
  const still = new MnistNetwork(784, 1000, 1);
  manualSeed(10);
  const noisy = new MnistNetwork(784, 1000, 1);
  const spikes = drawn(x, 25);
  const current = () => still.forward(constantEncode(x, { timesteps: 25 }));
  return [
    { workload: "static", model: still, lr, loss: () => membraneLoss(current(), y) },
    { workload: "poisson", model: noisy, lr, spikes, loss: () => membraneLoss(noisy.forward(spikes), y) },
  ];
}

function recurrent(): Case[] {
  manualSeed(0);
  const model = new RecurrentNetwork();
  const spikes = drawn(full([64, 700], 0.02), 100);
  const loss = () => crossEntropy(model.forward(spikes).mean({ axis: 0 }), labels(64, 20));
  return [{ workload: "step", model, lr: 1e-3, spikes, loss }];
}

function conv(): Case[] {
  manualSeed(0);
  const model = convNetwork();
  const { x, y } = mnistBatch(128);
  const images = x.reshape([128, 1, 28, 28]);
  const ys = Int32Array.from({ length: 50 * 128 }, (_, i) => y[i % 128] as number);
  const loss = () => crossEntropy(model.forward(constantEncode(images, { timesteps: 50 })), ys);
  return [{ workload: "step", model, lr: 1e-2, loss }];
}

const SIZES = { T: 20, batch: 24, percent: 8, pixels: 20, kernel: 5 };
const NETWORKS: readonly Network[] = [
  { ...SIZES, name: "fc", kind: "fc", widths: [150, 130] },
  { ...SIZES, name: "recurrent", kind: "recurrent", widths: [150, 130] },
  { ...SIZES, name: "conv", kind: "conv", widths: [2, 9, 13] },
];

const shapes = (): Case[] =>
  NETWORKS.map((network) => {
    const { name, kind, T, batch, percent, widths, pixels } = network;
    const [input = 0] = widths;
    manualSeed(0);
    const model = modelOf(network);
    const spikes = drawn(full(kind === "conv" ? [batch, input, pixels, pixels] : [batch, input], percent / 100), T);
    const loss = () => crossEntropy(model.forward(spikes).mean({ axis: 0 }), labels(batch, 10));
    return { workload: name, model, lr: 1e-3, spikes, loss };
  });

const deep = (): Case[] =>
  (Object.keys(DEEP) as DeepName[]).map((workload) => {
    const { model, lr, images, areDrawn, loss } = DEEP[workload]();
    return { workload, model, lr, loss, ...(areDrawn ? { spikes: images } : {}) };
  });

const TORCH = ["torch", "torch-loop"] as const;
const COMPILED = ["numba", "cpp"] as const;

const CHECKED: readonly Checked[] = [
  { family: "toy", args: [], peers: [...TORCH, ...COMPILED], cases: toy },
  { family: "small", args: [], peers: [...TORCH, ...COMPILED], cases: small },
  { family: "mnist", args: mnistFiles(), peers: [...TORCH, ...COMPILED], cases: tutorial },
  { family: "recurrent", args: [], peers: TORCH, cases: recurrent },
  { family: "conv", args: mnistFiles(), peers: TORCH, cases: conv },
  { family: "deep", args: mnistFiles(), peers: TORCH, steps: 2, cases: deep },
  { family: "shapes", args: [JSON.stringify(NETWORKS)], peers: TORCH, cases: shapes },
];

const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-steps-"));
/** Processes that have families one after the other. */
const running = new Map<PeerName, Promise<Families> | null>();
afterAll(async () => {
  for (const peer of running.values()) (await peer?.catch(() => null))?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Our steps of a case, whose parameters and spikes peers find in `folder`. */
function take({ workload, model, lr, spikes, loss }: Case, steps: number): Taken {
  const parameters = model.parameters();
  const arrays = [...parameters, ...(spikes === undefined ? [] : [spikes])].map((tensor) => tensor.toFloat32Array());
  writeFileSync(join(folder, workload), Buffer.concat(arrays.map((array) => new Uint8Array(array.buffer))));
  const optimizer = new Adam(parameters, { lr });
  let gradients: Float32Array[] = [];
  const losses = Array.from({ length: steps }, (_, step) => {
    const value = tape(() => {
      const value = loss();
      optimizer.zeroGrad();
      value.backward();
      return value;
    }).item();
    if (step === 0) gradients = parameters.map(({ grad }) => (grad as Tensor).toFloat32Array());
    optimizer.step();
    return value;
  });
  return { gradients, losses };
}

/** Reads the results that a peer has written, in the form of ours. */
function read(path: string, { gradients, losses }: Taken): Taken {
  const bytes = readFileSync(path);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let end = 0;
  const next = (size: number): Float32Array => {
    end += size;
    return values.slice(end - size, end);
  };
  return { gradients: gradients.map(({ length }) => next(length)), losses: [...next(losses.length)] };
}

/** The largest difference, as a share of the largest value, over all parameters. */
function difference(a: Taken, b: Taken): number {
  const shares = a.gradients.map((values, i) => {
    const others = b.gradients[i] as Float32Array;
    let [most, apart] = [0, 0];
    for (let j = 0; j < values.length; j++) {
      most = Math.max(most, Math.abs(values[j] as number));
      apart = Math.max(apart, Math.abs((values[j] as number) - (others[j] as number)));
    }
    return apart / most;
  });
  return Math.max(...shares);
}

/** The message on a machine without the peer. */
const NOT_HERE = /apt-get install|No module named|ENOENT|a processor with AVX-512/;

/** A peer at a family. */
async function peerAt(peer: PeerName, family: Family, args: readonly string[]): Promise<Peer> {
  const variables = { BENCH_CHECK: folder, BENCH_CHECK_AS: peer };
  if (!running.has(peer)) running.set(peer, startFamilies(peer, 1, variables));
  const families = await running.get(peer);
  await families?.turnTo(family, args);
  return families ?? startPeer(peer, family, args, 1, variables);
}

/** Lets a peer take steps of cases; gives whether it is there, and names it if not. */
async function ask(
  peer: PeerName,
  family: Family,
  args: readonly string[],
  workloads: readonly string[],
  steps: number,
): Promise<boolean> {
  const found = await peerAt(peer, family, args).catch((error: unknown) => {
    // Whatever else keeps a peer from saying its name is a fault of it.
    if (!(error instanceof PeerMissing && NOT_HERE.test(error.message))) throw error;
    console.warn(`${family}: without ${PEERS[peer]}: ${error.message}`);
    return undefined;
  });
  if (found === undefined) return false;
  for (const workload of workloads) await found.ask(workload, steps);
  if (!running.get(peer)) found.close();
  return true;
}

test.each(CHECKED)(
  "peers take our steps of $family",
  async (checked) => {
    const { family, args, peers, steps = STEPS } = checked;
    const cases = checked.cases();
    const ours = cases.map((each) => take(each, steps));
    const found = new Map<PeerName, Taken[]>();
    const workloads = cases.map(({ workload }) => workload);
    for (const peer of peers) {
      if (!(await ask(peer, family, args, workloads, steps))) continue;
      found.set(
        peer,
        workloads.map((workload, i) => read(join(folder, `${workload}.${peer}`), ours[i] as Taken)),
      );
    }
    for (const [i, { workload }] of cases.entries()) {
      const mine = ours[i] as Taken;
      expect(mine.losses.at(-1), workload).toBeLessThan(mine.losses[0] as number);
      for (const [peer, taken] of found) {
        const theirs = taken[i] as Taken;
        const label = `${workload}, ${PEERS[peer]}`;
        expect(difference(mine, theirs), label).toBeLessThan(1e-4);
        // Adam makes steps of the same size of gradients that differ in their last bits around 0.
        for (const [step, loss] of mine.losses.entries()) {
          expect(Math.abs((theirs.losses[step] as number) / loss - 1), label).toBeLessThan(1e-3);
        }
      }
      const [eager, loop] = TORCH.map((peer) => found.get(peer)?.[i]);
      if (eager && loop) expect(difference(eager, loop), workload).toBeLessThan(1e-5);
    }
  },
  600_000,
);

test("onnxruntime counts our spikes, with both heads", async () => {
  const { x } = mnistBatch(128);
  const weights = initialWeights(TUTORIAL.sizes as [number, number, number]);
  const model = new MnistNetwork(784, 1000, 1);
  const [first, second] = model.linears as [Linear, Linear];
  for (const [{ weight, bias }, w, b] of [
    [first, weights.w1, weights.b1],
    [second, weights.w2, weights.b2],
  ] as const) {
    const [outputs, inputs] = weight.shape as [number, number];
    weight.copyFrom(tensor(w, { shape: [inputs, outputs] }).transpose().data);
    bias?.copyFrom(b);
  }
  const counts = noGrad(() => spikeCount(model.unroll(constantEncode(x, { timesteps: 25 })).spikes).toFloat32Array());
  expect(Math.max(...counts)).toBeGreaterThan(2);
  writeFileSync(join(folder, "many"), "");
  if (!(await ask("onnxruntime", "inference", mnistFiles(), ["many"], 1))) return;
  const bytes = readFileSync(join(folder, "many.onnxruntime"));
  const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  expect(theirs).toHaveLength(2 * counts.length);
  // A sum in another order may make a spike more or less.
  const apart = theirs.reduce((sum, count, i) => sum + Math.abs(count - (counts[i % counts.length] as number)), 0);
  expect(apart / theirs.length).toBeLessThan(0.01);
}, 600_000);
