/** Products of spikes with the weights of a linear layer, over 25 steps of a batch: forward, and for the gradient of the weights. */
import { bernoulli, full, linear, noGrad, parameter, rand, type Tensor, tape, warmup } from "jarvis-snn";
import { part, type Run, serve, time, whole } from "../support/serve.ts";

const [T, B, INPUTS, OUTPUTS] = [25, 128, 784, 1000];

const spikes = (percent: number): Tensor => noGrad(() => bernoulli(full([T, B, INPUTS], percent / 100)));
const weights = (): Tensor => noGrad(() => rand([OUTPUTS, INPUTS]).sub(0.5));

const forward = (percent: number): Run =>
  whole(() => {
    const [x, weight] = [spikes(percent), weights()];
    return () => noGrad(() => void linear(x, weight));
  });

/** From the gradient of the mean over time on, which reads less memory than one of all steps. */
const gradient = (percent: number): Run =>
  part(() => {
    const [x, weight] = [spikes(percent), parameter(weights())];
    const upstream = rand([B, OUTPUTS]);
    return () => {
      weight.zeroGrad();
      return tape(() => {
        const mean = linear(x, weight).mean({ axis: 0 });
        return time(() => mean.backward(upstream));
      });
    };
  });

const percents = [50, 10, 5, 1];

warmup();
await serve({
  ...Object.fromEntries(percents.map((percent) => [`forward, ${percent} %`, forward(percent)])),
  ...Object.fromEntries(percents.map((percent) => [`to its weight, ${percent} %`, gradient(percent)])),
});
