/** The toy training step against eager PyTorch, one thread each, in turns. */
import { crossEntropy, tape, warmup } from "jarvis-snn";
import { DEFAULTS, prepareToy } from "../demos/toy/network.ts";
import { timeOf } from "./support/interleave.ts";
import { againstPeer, torchPeer } from "./support/peer.ts";

const ROUNDS = 21;
const STEPS = 20;

const { model, trainLoader, encode, optimizer } = prepareToy(DEFAULTS);
const [batch] = trainLoader;
if (batch === undefined) throw new Error("bench: no batch");
const { x, y } = batch;

function step(): void {
  tape(() => {
    const loss = crossEntropy(model.forward(encode(x)), y);
    optimizer.zeroGrad();
    loss.backward();
  });
  optimizer.step();
}

warmup();
const ours = { name: "jarvis-snn", measure: () => timeOf(step, STEPS) };
const { medians, ratios } = await againstPeer(ours, () => torchPeer("PyTorch eager", "toy.py", STEPS), ROUNDS);
const [mine, theirs] = medians as [number, number];
console.log(
  `toy step: jarvis-snn ${mine.toFixed(2)} ms, PyTorch eager ${theirs.toFixed(2)} ms, ${(ratios[1] as number).toFixed(1)} times faster`,
);
