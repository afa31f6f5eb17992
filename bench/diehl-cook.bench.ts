/**
 * Digits that are learned without labels: an image of MNIST for 250 steps of 1 ms, white pixels at 128 Hz, as BindsNET's example has it.
 * Both sides draw the spikes of the pixels in the step, and change weights and thresholds as the image goes on.
 */
import { noGrad, warmup } from "jarvis-snn";
import { DigitNetwork } from "../demos/diehl-cook/network.ts";
import { mnist } from "../demos/mnist/data.ts";
import { race, type Workload } from "./support/race.ts";
import { report } from "./support/report.ts";
import { mnistFiles } from "./support/training.ts";

const data = mnist("train", 1000);
/** Images before the first that is timed: at the start few neurons spike. */
const WARM_UP = 100;

function workload(neurons: number): Workload {
  const network = new DigitNetwork({ neurons, timesteps: 250, rateHz: 128 });
  let image = 0;
  const step = () => {
    const { x } = noGrad(() => data.batch([image]));
    image = (image + 1) % data.length;
    network.learn(x);
    x.dispose();
  };
  for (let i = 0; i < WARM_UP; i++) step();
  return { step, rounds: 7 };
}

warmup();
report(await race("diehl-cook", { "100": workload(100), "400": workload(400) }, { args: mnistFiles() }));
