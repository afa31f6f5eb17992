/**
 * The runs of test/fixtures/checkpoints/v0.2: all layers by families, then all optimizers with all schedules. Their options are those of
 * commit 3c77a22, which has written the files by `scripts/checkpoints.mjs`.
 */
import { createHash } from "node:crypto";
import {
  Adagrad,
  Adam,
  AdamW,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  DelayedLinear,
  ExponentialLR,
  Generator,
  LambdaLR,
  LIF,
  Linear,
  LinearLR,
  Module,
  MultiStepLR,
  noGrad,
  OneCycleLR,
  type Optimizer,
  PlasticLayer,
  PSN,
  ReduceLROnPlateau,
  RMSprop,
  rand,
  Sequential,
  SGD,
  StepLR,
  type Tensor,
  tape,
} from "jarvis-snn";
import { BATCH, type Cases, driving, FEATURES, NEURONS, STEPS } from "./cases.ts";
import { MODULES, RECURRENT, TEMPORAL } from "./layers.ts";
import { LEARNED, PLAIN, PRESETS } from "./neurons.ts";
import { NIR } from "./nir.ts";
import { CONNECTIONS, PLASTIC, PlasticStates, type Stepping } from "./plastic.ts";
import { QUANTIZED } from "./quantized.ts";

/** Epochs before the checkpoint and behind it, and batches of an epoch. */
const [BEFORE, BEHIND, BATCHES] = [3, 3, 2];

/** The modules of all cases by their names. `forward` gives the sum of their losses, so that no case changes the gradients of another. */
class AllCases extends Module {
  readonly cases: Readonly<Record<string, Module>>;

  constructor(cases: Cases, generator: Generator) {
    super();
    this.cases = Object.fromEntries(Object.entries(cases).map(([name, make]) => [name, make(generator)]));
  }

  protected override fields(): Iterable<[string, unknown]> {
    return Object.entries(this.cases);
  }

  forward(x: Tensor): Tensor {
    const losses = Object.values(this.cases).map((layer) => layer.forward(x).sub(0.4).square().mean());
    return losses.reduce((sum, loss) => sum.add(loss));
  }
}

interface Parts {
  readonly cases: Cases;
  readonly optimizer: (parameters: Tensor[]) => Optimizer;
  readonly scheduler?: (optimizer: Optimizer, model: AllCases) => Stepping;
}

/** The cases of the files about layers. */
const LAYERS = {
  modules: MODULES,
  neurons: PLAIN,
  "learned-neurons": LEARNED,
  "neurons-of-packages": PRESETS,
  recurrent: RECURRENT,
  temporal: TEMPORAL,
  plastic: PLASTIC,
  quantized: QUANTIZED,
  nir: NIR,
} satisfies Record<string, Cases>;

/** A small network, for the files about optimizers. */
const NETWORK: Cases = {
  network: (generator) =>
    new Sequential(driving(generator), new LIF({ learnBeta: true }), new Linear(NEURONS, 2, { generator })),
};

/** For layers: steps that do not depend on the size of a gradient, with one array a parameter. */
const usual = (parameters: Tensor[]) => new RMSprop(parameters, { lr: 0.001 });

const RUNS: Readonly<Record<string, Parts>> = {
  ...Object.fromEntries(Object.entries(LAYERS).map(([name, cases]) => [name, { cases, optimizer: usual }])),
  "plastic-states": {
    cases: CONNECTIONS,
    optimizer: usual,
    scheduler: (_optimizer, { cases }) => new PlasticStates(cases),
  },
  "SGD-StepLR": {
    cases: NETWORK,
    optimizer: (p) => new SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-3 }),
    scheduler: (optimizer) => new StepLR(optimizer, { stepSize: 2, gamma: 0.5 }),
  },
  "SGD-OneCycleLR": {
    cases: NETWORK,
    optimizer: (p) => new SGD(p, { lr: 0.1, momentum: 0.9, dampening: 0.1 }),
    scheduler: (optimizer) => new OneCycleLR(optimizer, { maxLr: 0.2, totalSteps: 8 }),
  },
  "SGD-ReduceLROnPlateau": {
    cases: NETWORK,
    optimizer: (p) => new SGD(p, { lr: 0.1 }),
    scheduler: (optimizer) => new ReduceLROnPlateau(optimizer, { patience: 0, threshold: 0.5, cooldown: 1 }),
  },
  "Adam-CosineAnnealingLR": {
    cases: NETWORK,
    optimizer: (p) => new Adam(p, { lr: 0.05, amsgrad: true, weightDecay: 0.01 }),
    scheduler: (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 8, etaMin: 1e-3 }),
  },
  "Adam-OneCycleLR": {
    cases: NETWORK,
    optimizer: (p) => new Adam(p, { lr: 0.05 }),
    scheduler: (optimizer) => new OneCycleLR(optimizer, { maxLr: 0.1, totalSteps: 8, threePhase: true }),
  },
  "AdamW-CosineAnnealingWarmRestarts": {
    cases: NETWORK,
    optimizer: (p) => new AdamW(p, { lr: 0.05, amsgrad: true }),
    scheduler: (optimizer) => new CosineAnnealingWarmRestarts(optimizer, { t0: 2, tMult: 2 }),
  },
  "AdamW-MultiStepLR": {
    cases: NETWORK,
    optimizer: (p) => new AdamW(p, { lr: 0.05, weightDecay: 0.1 }),
    scheduler: (optimizer) => new MultiStepLR(optimizer, { milestones: [2, 4, 4], gamma: 0.5 }),
  },
  "RMSprop-ExponentialLR": {
    cases: NETWORK,
    optimizer: (p) => new RMSprop(p, { lr: 0.005, centered: true, momentum: 0.8, weightDecay: 1e-3 }),
    scheduler: (optimizer) => new ExponentialLR(optimizer, { gamma: 0.8 }),
  },
  "RMSprop-LambdaLR": {
    cases: NETWORK,
    optimizer: (p) => new RMSprop(p, { lr: 0.01 }),
    scheduler: (optimizer) => new LambdaLR(optimizer, { lrLambda: (epoch) => 1 / (1 + epoch) }),
  },
  "Adagrad-LinearLR": {
    cases: NETWORK,
    optimizer: (p) => new Adagrad(p, { lr: 0.1, lrDecay: 0.1, weightDecay: 1e-3, initialAccumulatorValue: 0.1 }),
    scheduler: (optimizer) => new LinearLR(optimizer, { startFactor: 0.5, totalIters: 5 }),
  },
};

/** The names of all runs, and of their files. */
export const names = Object.keys(RUNS);

/** A run before its first epoch. The seed gives its weights and its inputs. */
export function makeSavedRun(name: string, seed: number) {
  const { cases, optimizer: optimizerOf, scheduler: schedulerOf } = RUNS[name] as Parts;
  const generator = new Generator(seed);
  const model = new AllCases(cases, new Generator(seed + 1));
  const optimizer = optimizerOf(model.parameters());
  const scheduler = schedulerOf?.(optimizer, model);
  const inputs = () => rand([STEPS, BATCH, FEATURES], { generator });

  const trainEpochs = (first: number, last: number): void => {
    for (let epoch = first; epoch <= last; epoch++) {
      let total = 0;
      for (let batch = 0; batch < BATCHES; batch++) {
        total += tape(() => {
          const loss = model.forward(inputs());
          optimizer.zeroGrad();
          loss.backward();
          return loss.item();
        });
        optimizer.step();
      }
      scheduler?.step(total);
      for (const [, layer] of model.namedModules()) {
        if (layer instanceof DelayedLinear || layer instanceof PSN) layer.anneal(epoch / (BEFORE + BEHIND));
      }
    }
  };

  /** Parameters, buffers and outputs of each case with its part of the optimizer, and the parts that the cases share, as SHA-256. */
  const hashes = (): Record<string, string> => {
    const { steps, slots, ...options } = optimizer.stateDict();
    const owners = model.namedParameters().map(([path]) => path);
    const ownOf = <T>(list: readonly T[], name: string) => list.filter((_, i) => owners[i]?.startsWith(`${name}.`));
    const x = noGrad(inputs);
    const all = Object.entries(model.cases).map(([name, layer]) => {
      const z = layer.evaluating(() => noGrad(() => layer.forward(x)));
      const outputs = [z.shape, z.toFloat32Array()];
      z.dispose();
      return [name, hash([layer.stateDict(), ownOf(steps, name), ownOf(slots, name), outputs])];
    });
    x.dispose();
    const random = noGrad(() => rand([4]));
    const shared = [options, scheduler?.stateDict(), generator.getState(), random.toFloat32Array()];
    random.dispose();
    return { ...Object.fromEntries(all), "what the cases share": hash(shared) };
  };

  return {
    model,
    optimizer,
    generator,
    ...(scheduler === undefined ? {} : { scheduler }),
    epoch: BEFORE,
    /** Trains to the checkpoint. */
    start: () => trainEpochs(1, BEFORE),
    /** Trains on from there. */
    goOn: () => trainEpochs(BEFORE + 1, BEFORE + BEHIND),
    hashes,
  };
}

/** The classes of all layers, rules, optimizers and schedules of a run. */
export function classesOf({ model, optimizer, scheduler }: ReturnType<typeof makeSavedRun>): unknown[] {
  const layers = model.namedModules().map(([, layer]) => layer);
  const connections = [
    ...layers.filter((layer) => layer instanceof PlasticLayer).map(({ plastic }) => plastic),
    ...(scheduler instanceof PlasticStates ? Object.values(scheduler.plastic) : []),
  ];
  const parts = [...layers, ...connections.map(({ rule }) => rule), optimizer, scheduler];
  return parts.map((part) => part?.constructor);
}

/** The SHA-256 of names, numbers and the bits of arrays, in their order. */
function hash(value: unknown): string {
  const bitsOf = (_key: string, part: unknown) =>
    part instanceof Float32Array ? Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("hex") : part;
  return createHash("sha256").update(JSON.stringify(value, bitsOf)).digest("hex");
}
