/** npm run demo -- diehl-cook: digits without labels, by spike-timing-dependent plasticity. */
import { writeSheet } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { mnist } from "../mnist/data.ts";
import { bar, begin, end, line } from "../report.ts";
import { holdOut, MEASURE, part } from "../training.ts";
import { fieldsSheet } from "./fields.ts";
import { DEFAULTS, DigitNetwork } from "./network.ts";
import { learnDigits, measureDigits } from "./run.ts";

const flags = begin("diehl-cook", {
  neurons: { kind: "integer", default: DEFAULTS.neurons, min: 1, help: "neurons that learn" },
  images: { kind: "integer", default: 0, min: 0, help: "training images, each shown once; 0 for all" },
  labels: { kind: "integer", default: 10000, min: 1, help: "training images whose labels say what neurons respond to" },
  timesteps: { kind: "integer", default: DEFAULTS.timesteps, min: 1, help: "ms that an image is shown for" },
  inhibition: { kind: "number", default: DEFAULTS.inhibition, help: "what a spike adds to the conductances of others" },
  eta: { kind: "number", default: DEFAULTS.eta, help: "rate of learning" },
  target: { kind: "number", default: DEFAULTS.target, help: "trace below which synapses shrink" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, order and spikes" },
  measure: MEASURE,
  tested: { kind: "integer", default: 0, min: 0, help: "images that accuracy is measured on, 0 for all" },
  svg: { kind: "text", default: "", help: "draw the receptive fields there (SVG)" },
});

const start = performance.now();
const all = mnist("train");
const { train, test: held } = flags.measure === "test" ? { train: all, test: mnist("t10k") } : holdOut(all);
const test = flags.tested === 0 ? held : part(held, 0, Math.min(flags.tested, held.length));
const { neurons, seed, timesteps, inhibition, eta, target } = flags;
const network = new DigitNetwork({ neurons, seed, timesteps, inhibition, eta, target });
const images = flags.images === 0 ? train.length : Math.min(flags.images, train.length);
const learned = performance.now();
const windows: number[] = [];
const order = learnDigits(network, train, images, {
  onImage: bar("images", images),
  onWindow({ done, accuracy, spikes }) {
    const ms = (performance.now() - learned) / done;
    windows.push(accuracy);
    line({
      images: done,
      running_acc: accuracy.toFixed(4),
      spikes_per_image: spikes.toFixed(1),
      ms_per_image: ms.toFixed(2),
    });
  },
});
const trained = (performance.now() - learned) / 1000;
const labelled = order.slice(-flags.labels);
const draws = bar(flags.measure, labelled.length + test.length);
const { assigned, weighted } = measureDigits(network, train, labelled, test, (done) => draws(done));
const seconds = (performance.now() - start) / 1000;
line({
  [`${flags.measure}_acc`]: weighted.toFixed(4),
  [`${flags.measure}_acc_assigned`]: assigned.toFixed(4),
  train_s: trained.toFixed(1),
  total_s: seconds.toFixed(1),
});
if (flags.svg !== "") writeSheet(flags.svg, fieldsSheet(network.connection.weight, DEMOS["diehl-cook"].title));
end({ figure: weighted, curve: { name: "running accuracy over the windows of images", values: windows } });
