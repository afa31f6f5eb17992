/** The memory that the step of tutorial 5 needs, in a process that has done nothing else. */
import { Adam, manualSeed, memoryStats, resetPeak } from "jarvis-snn";
import { encoder, MnistNetwork, membraneLoss } from "../demos/mnist/network.ts";
import { report } from "./support/report.ts";
import { mnistBatch, trainingStep } from "./support/training.ts";

const STEPS = 10;
const MEGABYTE = 1e6;

manualSeed(0);
const { x, y } = mnistBatch(128);
const model = new MnistNetwork(784, 1000, 1);
const encode = encoder("current", 25);
const step = trainingStep(() => membraneLoss(model.forward(encode(x)), y), new Adam(model.parameters(), { lr: 5e-4 }));
resetPeak();
for (let i = 0; i < STEPS; i++) step();
const { peak, reserved } = memoryStats();
report({ peak: { value: peak / MEGABYTE }, held: { value: reserved / MEGABYTE } });
