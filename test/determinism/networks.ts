/** The networks that every engine has to train to the same bits. */
import {
  AdamW,
  AdaptiveLIF,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  concat,
  crossEntropy,
  Dropout,
  EProp,
  type EPropState,
  Flatten,
  LeakyIntegrator,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  manualSeed,
  maxMembrane,
  meanOverTime,
  noGrad,
  Plastic,
  PlasticLayer,
  Recurrent,
  RecurrentLIF,
  RewardSTDP,
  type Rule,
  rand,
  Sequential,
  SGD,
  STDP,
  Stream,
  stack,
  surrogate,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import { gammatone, hairCells, levelCrossings, resample, speech2Spikes } from "jarvis-snn/audio";
import {
  denoise,
  dropEvents,
  type EventRecording,
  eventsFromFrames,
  jitter,
  readEvents,
  toSpikes,
  writeEvents,
} from "jarvis-snn/events";
import { Int8, quantize } from "jarvis-snn/quantize";
import { toy as nanoToy } from "../../demos/nano/nano.ts";
import { equalWeights, packaged } from "../../demos/nano/packaged.ts";
import { toyData } from "../../demos/toy/data.ts";
import { DEFAULTS, prepareToy } from "../../demos/toy/network.ts";

export interface Trained {
  readonly model: Module;
  /** Inputs over time, [T, N, …]. */
  readonly inputs: Tensor;
  /** What `model.forward` gives, computed one time step after the other: [T, B, …] → [B, K]. */
  stepwise(x: Tensor): Tensor;
}

/** Samples whose outputs are compared: enough for batches of 1, 2, 3 … 13. */
const SAMPLES = 91;

/** Calls back with each time step and the state that the last one left; the results over time. */
function loop<S>(x: Tensor, state: S, step: (input: Tensor, state: S) => [Tensor, S]): Tensor {
  let carried = state;
  const outputs = x.unbind(0).map((input) => {
    const [output, next] = step(input, carried);
    carried = next;
    return output;
  });
  return stack(outputs);
}

/** The first fifty steps of `npm start`, without the pauses between batches. */
function toy(): Trained {
  const { model, trainLoader, testLoader, encode, optimizer } = prepareToy(DEFAULTS);
  let steps = 50;
  while (steps > 0) {
    for (const { x, y } of trainLoader) {
      if (steps-- === 0) break;
      tape(() => {
        const loss = crossEntropy(model.forward(encode(x)), y);
        optimizer.zeroGrad();
        loss.backward();
      });
      optimizer.step();
    }
  }
  const { fc1, lif, fc2 } = model;
  const [first] = testLoader;
  return {
    model,
    inputs: noGrad(() => encode((first as { x: Tensor }).x.slice(0, 0, SAMPLES))),
    stepwise(x) {
      const state = lif.initialState([x.shape[1] as number, fc1.outFeatures]);
      const spikes = loop(x, state, (input, state) => lif.step(fc1.forward(input), state));
      return fc2.forward(meanOverTime(spikes));
    },
  };
}

/**
 * The network of demos/nano after steps of 64 samples, trained by the package and, to the same bits, by the engine of one page.
 *
 * @throws Error if a weight differs.
 */
function nano(steps: number): Trained {
  const [one, other] = [nanoToy(7), packaged(7)];
  const { train } = toyData(0);
  const x = train.x as Float32Array;
  for (let i = 0; i < steps; i++) {
    const start = (64 * i) % (train.length - 64);
    const batch = [x.subarray(32 * start, 32 * (start + 64)), Array.from(train.y).slice(start, start + 64)] as const;
    const [loss, expected] = [one.step(...batch), other.step(...batch)];
    if (loss !== expected) throw new Error(`nano: expected the loss ${expected} of step ${i}, got ${loss}`);
  }
  const { equal, of } = equalWeights(one, other);
  if (equal !== of) throw new Error(`nano: expected ${of} weights with the bits of the package, got ${equal}`);
  const { model } = other;
  const { fc1, lif, fc2 } = model;
  const inputs = noGrad(() => other.encode(x.subarray(0, 32 * SAMPLES)));
  return {
    model,
    inputs,
    stepwise(x) {
      const state = lif.initialState([x.shape[1] as number, fc1.outFeatures]);
      return fc2.forward(meanOverTime(loop(x, state, (input, state) => lif.step(fc1.forward(input), state))));
    },
  };
}

class RecurrentNetwork extends Module {
  readonly fc1 = new Linear(12, 40);
  readonly hidden = new RecurrentLIF({
    features: 40,
    threshold: 0.3,
    reset: "subtract",
    learnBeta: true,
    surrogate: surrogate.atan(),
    refractorySteps: 1,
  });
  readonly fc2 = new Linear(40, 5);
  readonly readout = new LeakyIntegrator({ tau: 10 });

  forward(x: Tensor): Tensor {
    return maxMembrane(this.readout.forward(this.fc2.forward(this.hidden.forward(this.fc1.forward(x)))));
  }
}

/** Recurrence, a learned decay, refractory steps, a membrane as the readout; AdamW. */
function recurrent(): Trained {
  manualSeed(2);
  const model = new RecurrentNetwork();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01, amsgrad: true });
  const labels = Array.from({ length: 24 }, (_, i) => i % 5);
  for (let step = 0; step < 8; step++) {
    tape(() => {
      const loss = crossEntropy(model.forward(rand([11, 24, 12]).mul(2)), labels);
      optimizer.zeroGrad();
      loss.backward();
    });
    optimizer.step();
  }
  const { fc1, hidden, fc2, readout } = model;
  return {
    model,
    inputs: rand([11, SAMPLES, 12]),
    stepwise(x) {
      const B = x.shape[1] as number;
      const spikes = loop(x, hidden.initialState([B, 40]), (input, state) => hidden.step(fc1.forward(input), state));
      const zero = readout.initialState([B, 5]);
      return maxMembrane(loop(spikes, zero, (input, state) => readout.step(fc2.forward(input), state)));
    },
  };
}

class ConvNetwork extends Module {
  readonly conv1 = new Conv2d(1, 6, 3, { padding: 1 });
  readonly norm1 = new BatchNorm2d(6);
  readonly lif1 = new LIF({ threshold: 0.5, surrogate: surrogate.fastSigmoid(), learnThreshold: true });
  readonly pool = new MaxPool2d(2);
  readonly conv2 = new Conv2d(6, 8, 3, { stride: 2, groups: 2, bias: false });
  readonly norm2 = new BatchNorm2d(8);
  readonly lif2 = new LIF({ beta: 0.8, threshold: 0.5, resetDelay: true });
  readonly flatten = new Flatten(-3);
  readonly dropout = new Dropout(0.25);
  readonly fc = new Linear(32, 4);

  forward(x: Tensor): Tensor {
    const spikes = this.lif2.forward(this.before2(this.lif1.forward(this.before1(x))));
    return meanOverTime(this.behind(spikes));
  }

  /** The currents of both layers of neurons, and the output: of all time steps, [T, B, …], or of one, [B, …]. */
  before1(x: Tensor): Tensor {
    return this.norm1.forward(this.conv1.forward(x));
  }

  before2(spikes: Tensor): Tensor {
    return this.norm2.forward(this.conv2.forward(this.pool.forward(spikes)));
  }

  behind(spikes: Tensor): Tensor {
    return this.fc.forward(this.dropout.forward(this.flatten.forward(spikes)));
  }
}

/** Convolutions, batch normalisation, pooling, dropout, a learned threshold; SGD with Nesterov momentum. */
function conv(): Trained {
  manualSeed(3);
  const model = new ConvNetwork();
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-3 });
  const labels = Array.from({ length: 20 }, (_, i) => i % 4);
  for (let step = 0; step < 6; step++) {
    tape(() => {
      const loss = crossEntropy(model.forward(rand([5, 20, 1, 10, 10]).mul(3)), labels);
      optimizer.zeroGrad();
      loss.backward();
    });
    optimizer.step();
  }
  const { lif1, lif2 } = model;
  return {
    model,
    inputs: noGrad(() => rand([5, SAMPLES, 1, 10, 10]).mul(3)),
    stepwise(x) {
      const B = x.shape[1] as number;
      const state = { first: lif1.initialState([B, 6, 10, 10]), second: lif2.initialState([B, 8, 2, 2]) };
      const outputs = loop(x, state, (input, { first, second }) => {
        const [s1, next1] = lif1.step(model.before1(input), first);
        const [s2, next2] = lif2.step(model.before2(s1), second);
        return [model.behind(s2), { first: next1, second: next2 }];
      });
      return meanOverTime(outputs);
    },
  };
}

class PlasticNetwork extends Module {
  readonly first = learning(12, 20, new STDP({ dependence: "power", muPlus: 0.4, muMinus: 0.6, order: "after" }));
  readonly second = learning(20, 8, new RewardSTDP({ tauE: 15 }));
  readonly fc = new Linear(8, 4);

  forward(x: Tensor): Tensor {
    return meanOverTime(this.fc.forward(this.second.forward(this.first.forward(x))));
  }
}

function learning(inputs: number, outputs: number, rule: Rule) {
  const connection = new Linear(inputs, outputs, { bias: false });
  connection.weight.copyFrom(rand([outputs, inputs]).mul(0.5).add(0.25));
  const plastic = new Plastic(connection, rule, { bounds: [0, 1], normalize: { sum: inputs / 2, every: 10 } });
  return new PlasticLayer(plastic, new LIF({ beta: 0.9, threshold: 0.25 * inputs }));
}

/** Synapses that learn from pairs of spikes, and from rewards, as spikes pass. */
function plastic(): Trained {
  manualSeed(4);
  const model = new PlasticNetwork();
  const { first, second } = model;
  for (let step = 0; step < 8; step++) {
    second.reward = step % 2 === 0 ? undefined : [1, -0.5, 0.25];
    model.forward(noGrad(() => rand([12, 3, 12]).lt(0.3)));
  }
  first.learning = false;
  second.learning = false;
  return {
    model,
    inputs: noGrad(() => rand([11, SAMPLES, 12]).lt(0.3)),
    stepwise(x) {
      const B = x.shape[1] as number;
      const state = { first: first.initialState([B, 12]), second: second.initialState([B, 20]) };
      const outputs = loop(x, state, (input, now) => {
        const [s1, next1] = first.step(input, now.first);
        const [s2, next2] = second.step(s1, now.second);
        return [model.fc.forward(s2), { first: next1, second: next2 }];
      });
      return meanOverTime(outputs);
    },
  };
}

class OnlineNetwork extends Module {
  readonly fc1 = new Linear(6, 16);
  readonly hidden = new Recurrent(new AdaptiveLIF({ threshold: 0.5, kappa: 0.2 }), { features: 16 });
  readonly fc2 = new Linear(16, 3);
  readonly readout = new LeakyIntegrator({ beta: 0.8 });

  forward(x: Tensor): Tensor {
    return maxMembrane(this.readout.forward(this.fc2.forward(this.hidden.forward(this.fc1.forward(x)))));
  }
}

/** Adaptive neurons that feed each other, trained step by step by e-prop. */
function online(): Trained {
  manualSeed(5);
  const model = new OnlineNetwork();
  const { fc1, hidden, fc2, readout } = model;
  const rule = new EProp(new Sequential(fc1, hidden, fc2, readout), { loss: crossEntropy });
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const labels = Array.from({ length: 10 }, (_, i) => i % 3);
  let state: EPropState | undefined;
  for (let t = 0; t < 40; t++) {
    ({ state } = rule.step(rand([10, 6]), t % 4 === 3 ? labels : null, state));
    if (t % 4 !== 3) continue;
    optimizer.step();
    optimizer.zeroGrad();
  }
  return {
    model,
    inputs: rand([9, SAMPLES, 6]),
    stepwise(x) {
      const B = x.shape[1] as number;
      const start = { hidden: hidden.initialState([B, 16]), readout: readout.initialState([B, 3]) };
      const membranes = loop(x, start, (input, now) => {
        const [s, next] = hidden.step(fc1.forward(input), now.hidden);
        const [z, last] = readout.step(fc2.forward(s), now.readout);
        return [z, { hidden: next, readout: last }];
      });
      return maxMembrane(membranes);
    },
  };
}

class EightBits extends Int8 {
  override forward(x: Tensor): Tensor {
    return meanOverTime(super.forward(x));
  }
}

/** Weights of eight bits, trained as such: convolutions of spikes and of numbers, rows of spikes, a scale for all and one an output. */
function int8(): Trained {
  manualSeed(6);
  const neurons = () => new LIF({ beta: 0.9, threshold: 0.3, surrogate: surrogate.atan() });
  const network = new Sequential(
    new Conv2d(1, 6, 3, { padding: 1 }),
    neurons(),
    new AvgPool2d(2),
    quantize(new Conv2d(6, 40, 3, { groups: 2 }), { weights: { bits: 8, perChannel: false } }),
    neurons(),
    new Flatten(-3),
    quantize(new Linear(160, 100), { weights: { bits: 4 } }),
    neurons(),
    new Linear(100, 5),
  );
  const optimizer = new AdamW(network.parameters(), { lr: 0.01 });
  const labels = Array.from({ length: 12 }, (_, i) => i % 5);
  for (let step = 0; step < 5; step++) {
    tape(() => {
      const loss = crossEntropy(meanOverTime(network.forward(rand([7, 12, 1, 8, 8]).lt(0.3))), labels);
      optimizer.zeroGrad();
      loss.backward();
    });
    optimizer.step();
  }
  return {
    model: new EightBits(network),
    inputs: noGrad(() => rand([9, SAMPLES, 1, 8, 8]).lt(0.3)),
    stepwise(x) {
      const [T, B] = x.shape as [number, number];
      const stream = new Stream(new Int8(network), x.shape.slice(1));
      const outputs = x.unbind(0).flatMap((frame) => [...stream.step(frame.toFloat32Array())]);
      return meanOverTime(tensor(outputs, { shape: [T, B, 5] }));
    },
  };
}

/** Sound as spikes in each of the three ways, 20 steps of 20 samples: [400, B] → [20, B, 24]. */
function spikesOf(sound: Tensor): Tensor {
  const motion = gammatone(sound, { channels: 4, fMin: 300 });
  const slower = resample(sound, { from: 16000, to: 12000 });
  const speech = { sampleRate: 12000, nFft: 64, nMels: 3, hop: 15, threshold: 0.2, cumulativeSum: true };
  return concat(
    [
      levelCrossings(motion, { threshold: 0.02, samplesPerStep: 20 }),
      hairCells(motion, { samplesPerStep: 20 }),
      speech2Spikes(slower, speech).slice(0, 0, 20),
    ],
    -1,
  );
}

class SoundNetwork extends Module {
  readonly fc = new Linear(24, 4);
  readonly readout = new LeakyIntegrator({ beta: 0.9 });

  forward(spikes: Tensor): Tensor {
    return maxMembrane(this.readout.forward(this.fc.forward(spikes)));
  }
}

function sound(): Trained {
  manualSeed(9);
  const model = new SoundNetwork();
  const optimizer = new SGD(model.parameters(), { lr: 0.05 });
  const labels = Array.from({ length: 16 }, (_, i) => i % 4);
  for (let step = 0; step < 4; step++) {
    const spikes = spikesOf(rand([400, 16]).sub(0.5));
    tape(() => {
      const loss = crossEntropy(model.forward(spikes), labels);
      optimizer.zeroGrad();
      loss.backward();
    });
    optimizer.step();
  }
  const { fc, readout } = model;
  return {
    model,
    inputs: spikesOf(rand([400, SAMPLES]).sub(0.5)),
    stepwise(x) {
      const zero = readout.initialState([x.shape[1] as number, 4]);
      return maxMembrane(loop(x, zero, (input, state) => readout.step(fc.forward(input), state)));
    },
  };
}

/** Side of the sensor, frames of a recording, and milliseconds between them. */
const [SIDE, FRAMES, FRAME_MS] = [8, 11, 4];

/** A bar that moves in one of four directions before a camera with noise, as a file that was written and read again. */
async function bar(direction: number, format: "aedat4" | "evt3" | "npz"): Promise<EventRecording> {
  const places = noGrad(() => rand([1]).toFloat32Array());
  const start = 4 * (places[0] as number);
  const brightness = Float32Array.from({ length: FRAMES * SIDE * SIDE }, (_, i) => {
    const [row, column] = [Math.floor(i / SIDE) % SIDE, i % SIDE];
    const along = direction < 2 ? column : row;
    const moved = start + Math.floor(i / SIDE / SIDE) / 2;
    const distance = Math.abs((direction % 2 === 0 ? along : SIDE - 1 - along) - (moved % SIDE));
    return 0.1 + 0.8 * Math.max(0, 1 - distance);
  });
  const frames = tensor(brightness, { shape: [FRAMES, SIDE, SIDE] });
  const times = Array.from({ length: FRAMES }, (_, f) => 1000 * FRAME_MS * f);
  const seen = eventsFromFrames(frames, times, { mismatch: 0.1, leakRate: 2, shotNoiseRate: 5 });
  frames.dispose();
  const { t, x, y, p, width, height } = await readEvents(writeEvents(seen, format));
  return { t, x, y, p, width, height };
}

/** Bars in turns of direction and format, as spikes of ten steps, [10, n, 2, 8, 8]; `spoiled` by jitter and lost events. */
async function bars(n: number, spoiled: boolean): Promise<Tensor> {
  const formats = ["evt3", "aedat4", "npz"] as const;
  const recordings: EventRecording[] = [];
  for (let i = 0; i < n; i++) {
    const clean = denoise(await bar(i % 4, formats[i % 3] as "evt3"), { filterTime: 8000 });
    recordings.push(spoiled ? dropEvents(jitter(clean, { x: 0.3 }), { probability: 0.1 }) : clean);
  }
  const step = 1000 * FRAME_MS;
  return toSpikes(recordings, { timeWindow: step, startTime: 0, endTime: (FRAMES - 1) * step });
}

class CameraNetwork extends Module {
  readonly conv = new Conv2d(2, 6, 3);
  readonly lif = new LIF({ beta: 0.8, threshold: 0.5 });
  readonly pool = new MaxPool2d(2);
  readonly fc = new Linear(54, 4);
  readonly readout = new LeakyIntegrator({ beta: 0.9 });

  forward(spikes: Tensor): Tensor {
    return maxMembrane(this.readout.forward(this.behind(this.lif.forward(this.conv.forward(spikes)))));
  }

  behind(spikes: Tensor): Tensor {
    return this.fc.forward(this.pool.forward(spikes).flatten(-3));
  }
}

async function camera(): Promise<Trained> {
  manualSeed(10);
  const model = new CameraNetwork();
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const labels = Array.from({ length: 16 }, (_, i) => i % 4);
  for (let step = 0; step < 4; step++) {
    const spikes = await bars(16, true);
    tape(() => {
      const loss = crossEntropy(model.forward(spikes), labels);
      optimizer.zeroGrad();
      loss.backward();
    });
    optimizer.step();
  }
  const { conv, lif, readout } = model;
  return {
    model,
    inputs: await bars(SAMPLES, false),
    stepwise(x) {
      const B = x.shape[1] as number;
      const state = { lif: lif.initialState([B, 6, 6, 6]), readout: readout.initialState([B, 4]) };
      const outputs = loop(x, state, (input, before) => {
        const [spikes, fired] = lif.step(conv.forward(input), before.lif);
        const [output, read] = readout.step(model.behind(spikes), before.readout);
        return [output, { lif: fired, readout: read }];
      });
      return maxMembrane(outputs);
    },
  };
}

export const networks: Record<string, () => Trained | Promise<Trained>> = {
  toy,
  nano: () => nano(200),
  nano20: () => nano(20),
  recurrent,
  conv,
  plastic,
  online,
  int8,
  sound,
  camera,
};
