/** The toy training step against eager PyTorch, one thread each, in turns. */
import { crossEntropy, tape, warmup } from "jarvis-snn";
import { DEFAULTS, prepareToy } from "../demos/toy/network.ts";
import { interleave, timeOf } from "./support/interleave.ts";
import { torchPeer } from "./support/peer.ts";

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
const torch = torchPeer("PyTorch eager", "toy.py", STEPS);
const { medians, ratios } = await interleave(
  [{ name: "jarvis-snn", measure: () => timeOf(step, STEPS) }, torch],
  ROUNDS,
);
torch.close();
const [ours, theirs] = medians as [number, number];
console.log(
  `toy step: jarvis-snn ${ours.toFixed(2)} ms, PyTorch eager ${theirs.toFixed(2)} ms, ${(ratios[1] as number).toFixed(1)} times faster`,
);
