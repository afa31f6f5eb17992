/** What is measured against whom, what must be reached and what is aimed at: the only place for these numbers. */

/**
 * ×: times faster than the peer.  P: share of the mul+add peak.  triad: share of the bandwidth of a = b + s·c.
 * M/s: millions a second.  of 1: a share of the time with one thread.  These and the others are plain amounts, of which less is better.
 */
export type Unit = "×" | "P" | "triad" | "M/s" | "ns" | "µs" | "ms" | "MB" | "kB" | "of 1";

export interface Target {
  /** What is measured. */
  readonly row: string;
  /** What it is measured against. */
  readonly peer: string;
  readonly unit: Unit;
  /** Not there where a figure is only reported. */
  readonly must?: number;
  readonly goal?: number;
}

/** Programs that take the steps of a training or inference row in turns with us; a key `workload/peer` names one, or a group of them. */
export const PEERS = {
  pytorch: "the faster PyTorch",
  "pytorch-all": "the faster PyTorch, all threads each",
  torch: "PyTorch, best eager",
  "torch-all": "PyTorch, best eager, all threads each",
  "torch-loop": "PyTorch, one Function for all steps",
  "torch-loop-all": "PyTorch, one Function for all steps, all threads each",
  numba: "Numba",
  cpp: "C++, the ceiling of this processor",
  onnxruntime: "onnxruntime",
  "plain-js": "plain JavaScript",
  tfjs: "TF.js (wasm)",
  "jax-js": "jax-js (wasm)",
  "onnxruntime-web": "onnxruntime-web",
  bindsnet: "BindsNET",
  spikingjelly: "SpikingJelly",
  tonic: "tonic",
} as const;

/** Groups of peers, of which the fastest counts in a row. */
export const GROUPS = {
  pytorch: ["torch", "torch-loop"],
  "pytorch-all": ["torch-all", "torch-loop-all"],
} as const satisfies Partial<Record<keyof typeof PEERS, readonly (keyof typeof PEERS)[]>>;

export type GroupName = keyof typeof GROUPS;

export type PeerName = Exclude<keyof typeof PEERS, GroupName>;

type Limits = [] | [must: number, goal: number];

function target(row: string, peer: string, unit: Unit, [must, goal]: Limits): Target {
  return must === undefined || goal === undefined ? { row, peer, unit } : { row, peer, unit, must, goal };
}

const faster = (row: string, peer: PeerName | GroupName, ...limits: Limits) => target(row, PEERS[peer], "×", limits);
const ofPeak = (row: string, ...limits: Limits) => target(row, "mul+add peak", "P", limits);
const ofTriad = (row: string, peer: string, ...limits: Limits) => target(row, peer, "triad", limits);
const overDense = (row: string, ...limits: Limits) => target(row, "dense product at 0.85 P", "×", limits);
const overLoop = (row: string) => target(row, PEERS["plain-js"], "×", []);
const overItsExp = (row: string) => target(row, "the exponentials in it alone", "×", []);
const overFloat = (row: string, ...limits: Limits) => target(row, "float weights", "×", limits);
const rate = (row: string, ...limits: Limits) => target(row, "", "M/s", limits);
const overFile = (row: string) => target(row, "a copy of the bytes of the file", "×", []);
const overColumns = (row: string) => target(row, "a copy of the columns", "×", []);
const amount = (row: string, unit: Unit, ...limits: Limits) => target(row, "", unit, limits);

/** A step against eager PyTorch with one thread each, with all threads each, and all threads of ours against one of them. */
const eager = <Key extends string>(key: Key, row: string, one: Limits, all: Limits, own: Limits) =>
  ({
    [`${key}/torch`]: faster(row, "torch", ...one),
    [`${key}/torch-all`]: faster(row, "torch-all", ...all),
    [`${key} alone`]: target(`${row}, all threads`, "one thread of ours", "×", own),
  }) as Record<`${Key}/torch` | `${Key}/torch-all` | `${Key} alone`, Target>;

/** The same against both forms of PyTorch, of which the faster one has the limits. */
const training = <Key extends string>(key: Key, row: string, one: Limits, own: Limits, all: Limits = []) =>
  ({
    [`${key}/pytorch`]: faster(row, "pytorch", ...one),
    [`${key}/pytorch-all`]: faster(row, "pytorch-all", ...all),
    ...eager(key, row, [], [], own),
    [`${key}/torch-loop`]: faster(row, "torch-loop"),
    [`${key}/torch-loop-all`]: faster(row, "torch-loop-all"),
  }) as Record<`${Key}/${GroupName}` | `${Key}/torch-loop` | `${Key}/torch-loop-all`, Target> &
    ReturnType<typeof eager<Key>>;

/** A step by other compilers, with one thread. */
const compiled = <Key extends string>(key: Key, row: string) =>
  ({ [`${key}/numba`]: faster(row, "numba"), [`${key}/cpp`]: faster(row, "cpp") }) as Record<
    `${Key}/numba` | `${Key}/cpp`,
    Target
  >;

const TOY = "toy step: 32-128-2, T 25, B 128, Poisson input";
const SMALL = "small step: 20-64-2, T 20, B 64";
const TUTORIAL = "tutorial-5 step: 784-1000-10, T 25, B 128, MNIST";
const POISSON = "tutorial-5 step, Poisson input";
const INFERENCE = "tutorial-5 inference, B 1";
const MANY = "tutorial-5 inference, B 128";
const STREAM = "tutorial-5 inference, B 1, step by step";
const EIGHT_BITS = "tutorial-5 inference with weights of 8 bits, Poisson input, B 1";
const CONV = "conv step: 12C5-MP2-64C5-MP2-10, T 50, B 128, MNIST";
const SEW = "SEW-ResNet-18 step: ADD, 3 × 32 × 32, T 4, B 8";
const CIFAR = "step of Norse's network for CIFAR-10: 3 × 32 × 32, T 4, B 8";
const CSNN = "SpikingJelly's CSNN step: 128 channels, 28 × 28, T 4, B 32, MNIST";
const SPIKFORMER = "Spikformer step: 2 blocks, 4 heads, 64 tokens of 128, T 4, B 16";
const PAGE = "a page that trains the toy network by jarvis-snn/core, minified and gzipped";
const ADAPTIVE = "adaptive neuron of one's own, T 25, B 128, N 1000: forward and backward";
const RECURRENT = "recurrent step: 700-256-20, T 100, B 64, 2 % input";

const STDP = "STDP step, 1000 → 1000, 1 % of the neurons spike";
const stdpAt = (percent: string) => amount(`STDP step, 1000 → 1000, ${percent} % of the neurons spike`, "ns");

const digits = (neurons: number) => `an image learned by 784-${neurons} after Diehl and Cook, T 250, B 1`;

/** A call of a layer of four neurons, B 1: the median of all classes and choices of options, and the slowest of them. */
const call = <Key extends string>(key: Key, way: string, typical: Limits, slowest: Limits) =>
  ({
    [key]: amount(`four neurons, ${way}: median of classes`, "µs", ...typical),
    [`${key}Slowest`]: amount(`four neurons, ${way}: slowest class`, "µs", ...slowest),
  }) as Record<Key | `${Key}Slowest`, Target>;

const model = <Key extends string>(key: Key, name: string) =>
  eager(key, `${name}, T 25, B 128, N 1000: forward and backward`, [3, 6], [3, 6], [1.7, 1.7]);

/** A format of files of events by its name in sentences: how fast it is read, and against a copy. */
const reader = <Key extends string>(key: Key, format: string, ...limits: Limits) =>
  ({
    [key]: rate(`events read of a file of ${format}`, ...limits),
    [`${key}Copy`]: overFile(`a file of ${format}, read`),
  }) as Record<Key | `${Key}Copy`, Target>;

/** A function of recordings, in the same two ways. */
const recorded = <Key extends string>(key: Key, ...limits: Limits) =>
  ({
    [key]: rate(`events through ${key}, 4 million of 1280 × 720`, ...limits),
    [`${key}Copy`]: overColumns(`${key}, 4 million events of 1280 × 720`),
  }) as Record<Key | `${Key}Copy`, Target>;

/** Two threads against one, beside a process that takes a processor, and after it has ended. */
const besideOther = <Key extends string>(key: Key, row: string) =>
  ({
    [`${key} under`]: target(`${row}, 2 threads beside a busy process`, "one thread of ours", "×", [0.9, 1]),
    [`${key} after`]: target(`${row}, 2 threads 200 ms after its end`, "one thread of ours", "×", [1.3, 1.6]),
  }) as Record<`${Key} under` | `${Key} after`, Target>;

/** The serial share of a step, and its time with 4 and 8 threads by Amdahl's law. */
const unshared = <Key extends string>(key: Key, row: string, ...limits: Limits) =>
  ({
    [`${key} serial`]: target(`${row}, time outside of shared work`, "one thread of ours", "of 1", limits),
    [`${key} 4`]: target(`${row}, 4 threads by Amdahl's law`, "one thread of ours", "of 1", []),
    [`${key} 8`]: target(`${row}, 8 threads by Amdahl's law`, "one thread of ours", "of 1", []),
  }) as Record<`${Key} serial` | `${Key} 4` | `${Key} 8`, Target>;

const overTonic = (row: string) => faster(`${row}, 100 000 events of 240 × 180`, "tonic", 10, 10);

/** Families, each bench/<family>.bench.ts, and their rows. */
export const TARGETS = {
  toy: {
    "published/torch": target(TOY, "PyTorch, layers inside the time loop", "×", [5, 8]),
    ...training("step", TOY, [4.1, 4.6], [0.97, 1]),
    ...compiled("step", TOY),
    "step/jax-js": faster(TOY, "jax-js"),
    "step/tfjs": faster(TOY, "tfjs"),
  },
  small: {
    ...training("step", SMALL, [8.5, 10], [0.97, 1]),
    ...compiled("step", SMALL),
    "step/plain-js": faster(SMALL, "plain-js", 8, 16),
    "step/jax-js": faster(SMALL, "jax-js"),
    "step/tfjs": faster(SMALL, "tfjs"),
  },
  mnist: {
    ...training("static", TUTORIAL, [3.4, 3.8], [1.65, 1.8]),
    ...compiled("static", TUTORIAL),
    "static/jax-js": faster(TUTORIAL, "jax-js", 3, 4.5),
    "static/tfjs": faster(TUTORIAL, "tfjs"),
    ...training("poisson", POISSON, [3, 3.4], [1.8, 1.95]),
    ...compiled("poisson", POISSON),
    "poisson/jax-js": faster(POISSON, "jax-js"),
    "poisson/tfjs": faster(POISSON, "tfjs"),
  },
  inference: {
    "batch/torch": faster(INFERENCE, "torch", 12, 15),
    "batch/onnxruntime": faster(INFERENCE, "onnxruntime"),
    "batch/onnxruntime-web": faster(INFERENCE, "onnxruntime-web", 1, 2),
    "many/torch": faster(MANY, "torch"),
    "many/onnxruntime": faster(MANY, "onnxruntime"),
    "stream/torch": faster(STREAM, "torch"),
  },
  int8: {
    forward: overFloat(EIGHT_BITS, 1.3, 2.5),
    stream: overFloat(`${EIGHT_BITS}, step by step`, 1.3, 2.5),
    encoded: overFloat(`${EIGHT_BITS}, with the coding`),
  },
  recurrent: {
    ...training("step", RECURRENT, [3, 3.2], [1.75, 1.9]),
  },
  neurons: {
    "adaptive/torch": faster(ADAPTIVE, "torch", 4, 8),
    tensors: target(ADAPTIVE, "the same as tensor ops", "×", [8, 8]),
    first: amount("the first compiled neuron of a process: forward and backward of a few values", "ms", 17, 12),
    later: amount("a further one with another step", "ms", 7, 5),
  },
  layers: {
    ...call("step", "step", [4, 2], [6, 4]),
    ...call("forward", "forward over T 25", [4, 2], [6, 4]),
    ...call("backward", "forward and backward over T 25", [15, 10], [22, 15]),
    lstmStep: amount("SpikingLSTM, 4 → 4, step", "µs"),
    lstmForward: amount("SpikingLSTM, 4 → 4, forward over T 25", "µs"),
    lstmBackward: amount("SpikingLSTM, 4 → 4, forward and backward over T 25", "µs"),
    psnStep: amount("PSN of a window of 4, 4 neurons, step", "µs"),
    psnForward: amount("PSN of a window of 4, 4 neurons, forward over T 25", "µs"),
    psnBackward: amount("PSN of a window of 4, 4 neurons, forward and backward over T 25", "µs"),
    stream: amount("Stream.step, 8-16-3", "µs", 0.9, 0.7),
    opForward: amount("an op on four values in the same process, forward", "ns"),
    opBackward: amount("an op on four values in the same process, backward", "ns"),
  },
  make: {
    linear: amount("new Linear(8, 16)", "µs"),
    conv: amount("new Conv2d(2, 4, 3)", "µs"),
    lif: amount("new LIF()", "µs"),
    five: amount("new LIF with five options", "µs", 20, 10),
    adaptive: amount("new AdaptiveLIF(), a further one", "µs", 45, 20),
    recurrent: amount("new Recurrent of a LIF, 16 neurons", "µs"),
    networks: amount("the first 1000 networks 8-16-3 of a process", "ms", 80, 50),
  },
  models: {
    ...model("synaptic", "Synaptic of snnTorch"),
    ...model("alpha", "Alpha of snnTorch"),
    ...model("adaptive", "AdaptiveLIF after Bellec et al."),
    ...model("adex", "AdEx of Norse"),
    ...model("izhikevich", "Izhikevich of Norse"),
    ...model("conductance", "ConductanceLIF of Norse"),
    ...model("plif", "ParametricLIF of SpikingJelly"),
  },
  /** Networks that are drawn: the least of their ratios, and the median. Their limits are against eager PyTorch. */
  shapes: {
    ...training("least", "drawn networks: the least of them", [], []),
    ...eager("least", "drawn networks: the least of them", [1.6, 1.7], [1.6, 1.7], [1.5, 1.5]),
    ...training("median", "drawn networks: the median", [], []),
    ...eager("median", "drawn networks: the median", [2.3, 3], [], [1.7, 1.7]),
  },
  /** Two threads on a machine with two processors, one of which is busy. */
  busy: {
    ...besideOther("static", TUTORIAL),
    ...besideOther("poisson", POISSON),
    ...besideOther("recurrent", RECURRENT),
    ...besideOther("conv", "conv step: 12C5-MP2-30C5-MP2-10 on 28 × 28, T 10, B 64, 5 % input"),
  },
  /** Serial shares, which limit the gain of more than two threads. */
  threads: {
    ...unshared("toy", TOY),
    ...unshared("small", SMALL),
    ...unshared("static", TUTORIAL, 0.21, 0.15),
    ...unshared("poisson", POISSON, 0.15, 0.1),
    ...unshared("recurrent", RECURRENT, 0.15, 0.1),
    ...unshared("conv", CONV, 0.15, 0.1),
    ...unshared("sew", SEW, 0.15, 0.1),
    ...unshared("csnn", CSNN, 0.15, 0.1),
    ...unshared("median", "drawn networks: the median", 0.15, 0.1),
  },
  /** Curves, and no rows. */
  growth: {},
  plasticity: {
    "stdp/bindsnet": faster(STDP, "bindsnet", 5, 50),
    "stdp/spikingjelly": faster(STDP, "spikingjelly", 5, 50),
    loops: target(STDP, "loops over the weights of spikes", "×", [1.5, 4]),
    dense: target(STDP, "loops over all weights", "×", [20, 40]),
    "spikes 0": stdpAt("0"),
    "spikes 0.1": stdpAt("0.1"),
    "spikes 0.3": stdpAt("0.3"),
    "spikes 1": stdpAt("1"),
    "spikes 3": stdpAt("3"),
    "spikes 10": stdpAt("10"),
    "spikes 30": stdpAt("30"),
  },
  "diehl-cook": {
    "100/bindsnet": faster(digits(100), "bindsnet", 10, 50),
    "400/bindsnet": faster(digits(400), "bindsnet", 10, 50),
  },
  conv: {
    ...training("step", CONV, [2.6, 3.2], [1.75, 1.9]),
    forward: ofPeak("conv 12 → 64, 5 × 5 on 12 × 12, B 128, dense: forward"),
    gradients: ofPeak("conv 12 → 64, 5 × 5 on 12 × 12, B 128, dense: both gradients"),
    deepForward: ofPeak("conv 256 → 256, 3 × 3 on 4 × 4, T·B 32, dense: forward", 0.75, 0.9),
    deepGradients: ofPeak("conv 256 → 256, 3 × 3 on 4 × 4, T·B 32, dense: both gradients", 0.75, 0.9),
    pointForward: ofTriad("conv 512 → 512, 3 × 3 on 1 × 1, T·B 32, dense: forward", "triad on its weights", 0.75, 0.95),
    pointGradients: ofTriad(
      "conv 512 → 512, 3 × 3 on 1 × 1, T·B 32, dense: both gradients",
      "triad on its weights and gradients",
      0.75,
      0.95,
    ),
  },
  /** Networks of the literature; with all threads each, 0.9 of the limits. */
  deep: {
    ...training("sew", SEW, [1.1, 1.5], [1.75, 1.9], [0.99, 1.35]),
    ...training("cifar", CIFAR, [1.6, 2.2], [1.7, 1.9], [1.44, 1.98]),
    ...training("csnn", CSNN, [1.5, 2.2], [1.75, 1.9], [1.35, 1.98]),
    ...training("spikformer", SPIKFORMER, [2, 2.8], [1.7, 1.9], [1.8, 2.52]),
  },
  epochs: {
    ...eager("mnist", "an epoch of MNIST: 784-1000-10, T 25, B 128, 60 000 images", [], [], []),
    ...eager("conv", "a tenth of an epoch: 12C5-MP2-64C5-MP2-10, T 25, B 128, 6000 images", [], [], []),
  },
  matmul: {
    "256": ofPeak("product 256 × 256 × 256", 0.8, 0.9),
    "512": ofPeak("product 512 × 512 × 512", 0.75, 0.87),
    forward: ofPeak("layer 784 → 1000, B 128: x·Wᵀ", 0.75, 0.87),
    inputGradient: ofPeak("layer 784 → 1000, B 128: dz·W", 0.75, 0.87),
    weightGradient: ofPeak("layer 784 → 1000, B 128: dzᵀ·x", 0.75, 0.87),
    recurrentForward: ofPeak("layer 700 → 256, T·B 6400: x·Wᵀ", 0.75, 0.87),
    head: ofPeak("head 1000 → 10, T·B 3200: x·Wᵀ", 0.5, 0.62),
    headInputGradient: ofPeak("head 1000 → 10, T·B 3200: dz·W", 0.5, 0.62),
    headWeightGradient: ofPeak("head 1000 → 10, T·B 3200: dzᵀ·x", 0.5, 0.62),
    vector: ofTriad("layer 784 → 1000, B 1: x·Wᵀ", "triad on as many bytes"),
    vectorPlain: ofTriad("layer 784 → 1000, B 1: x·W, W [in, out]", "triad on as many bytes"),
  },
  gather: {
    forward50: overDense("gather 3200 × 784 → 1000, 50 % ones", 1, 1.3),
    forward10: overDense("gather 3200 × 784 → 1000, 10 % ones", 5, 7),
    forward5: overDense("gather 3200 × 784 → 1000, 5 % ones", 8, 12),
    forward1: overDense("gather 3200 × 784 → 1000, 1 % ones", 25, 40),
    weightGradient50: overDense("gather, its weight gradient, 50 %", 1, 1.3),
    weightGradient10: overDense("gather, its weight gradient, 10 %", 5, 7),
    weightGradient5: overDense("gather, its weight gradient, 5 %", 8, 12),
    weightGradient1: overDense("gather, its weight gradient, 1 %", 25, 40),
  },
  events: {
    ...reader("evt3", "EVT 3.0", 30, 80),
    ...reader("evt2", "EVT 2.0"),
    ...reader("evt2.1", "EVT 2.1"),
    ...reader("dat", "DAT"),
    ...reader("aedat2", "AEDAT 2.0"),
    ...reader("aedat3.1", "AEDAT 3.1"),
    ...reader("aedat4", "AEDAT 4 without compression", 15, 40),
    ...reader("lz4", "AEDAT 4 with LZ4"),
    ...reader("nmnist", "N-MNIST"),
    ...reader("npz", "npz"),
    ...reader("hdf5", "HDF5 as of DSEC, without compression"),
    ...recorded("toSpikes", 30, 100),
    ...recorded("toFrames"),
    ...recorded("toVoxelGrid"),
    ...recorded("toTimesurface"),
    ...recorded("toAveragedTimesurface"),
    toBinaryRepresentationCopy: target(
      "toBinaryRepresentation, 16 frames of 1280 × 720",
      "a copy of the frames",
      "×",
      [],
    ),
    ...recorded("denoise"),
    ...recorded("refractoryPeriod"),
    ...recorded("dropPixels"),
    ...recorded("dropEvents"),
    ...recorded("dropEventsByTime"),
    ...recorded("dropEventsByArea"),
    ...recorded("crop"),
    ...recorded("downsample"),
    ...recorded("flip"),
    ...recorded("jitter"),
    ...recorded("uniformNoise"),
    ...recorded("mergePolarities"),
    "frames/tonic": overTonic("toFrames, 20 bins"),
    "voxels/tonic": overTonic("toVoxelGrid, 10 bins"),
    "timesurface/tonic": overTonic("toTimesurface, every 15 ms"),
    "averaged/tonic": overTonic("toAveragedTimesurface"),
    "binary/tonic": overTonic("toBinaryRepresentation, 2 frames of 8 bits"),
    "denoise/tonic": overTonic("denoise"),
    "refractory/tonic": overTonic("refractoryPeriod, 1 ms"),
    "hot/tonic": overTonic("dropPixels, hot ones"),
    "drop/tonic": overTonic("dropEvents, half"),
    "dropTime/tonic": overTonic("dropEventsByTime"),
    "dropArea/tonic": overTonic("dropEventsByArea"),
    "crop/tonic": overTonic("crop to 128 × 128"),
    "downsample/tonic": overTonic("downsample by 2"),
    "flip/tonic": overTonic("flip along x"),
    "reverse/tonic": overTonic("flip along time"),
    "timeJitter/tonic": overTonic("jitter of times, 100 µs"),
    "jitter/tonic": overTonic("jitter of pixels"),
    "noise/tonic": overTonic("uniformNoise, 10 000 events"),
    "merge/tonic": overTonic("mergePolarities"),
  },
  lif: {
    forward: target("LIF forward out of cache", "textbook step", "×", [1.4, 1.8]),
    forwardCopy: target("LIF forward out of cache", "a copy of its input", "×", []),
    forwardOver: target("LIF forward out of cache, over its input as in a Sequential", "textbook step", "×", []),
    forwardLast: target("LIF forward out of cache, last membrane only", "textbook step", "×", []),
    backward: ofTriad("LIF backward out of cache", "DRAM triad", 0.75, 0.95),
    backwardSigmoid: ofTriad("LIF backward out of cache, sigmoid", "DRAM triad"),
  },
  kernels: {
    add: overLoop("add"),
    exp: overLoop("exp"),
    log: overLoop("log"),
    tanh: overLoop("tanh"),
    sigmoid: overLoop("sigmoid"),
    uniform: overLoop("uniform (Philox)"),
    bernoulli: overLoop("bernoulli (Philox)"),
    adam: ofTriad("Adam, out of cache", "triad on as many bytes"),
    maxPool: ofTriad("max pool 2 × 2, out of cache", "triad on as many bytes"),
    maxPlaces: ofTriad("max pool 2 × 2, out of cache: places of the maxima", "triad on as many bytes"),
    avgPool: ofTriad("average pool 2 × 2, out of cache", "triad on as many bytes"),
    avgPoolGrad: ofTriad("average pool 2 × 2, out of cache: gradient", "triad on as many bytes"),
    crossEntropy: overItsExp("cross-entropy, 3200 rows of 10"),
    crossEntropyGrad: overItsExp("cross-entropy, 3200 rows of 10: gradient"),
  },
  overhead: {
    forward: amount("an op on four values, forward (slowest of five)", "ns", 500, 150),
    backward: amount("an op on four values, backward (slowest of five)", "ns", 500, 150),
    "chain/jax-js": faster("1000 additions of four values", "jax-js"),
    "chain/tfjs": faster("1000 additions of four values", "tfjs"),
  },
  memory: {
    peak: amount("linear memory of the tutorial-5 step, peak", "MB", 18, 18),
    held: amount("linear memory of the tutorial-5 step, held", "MB"),
  },
  size: {
    core: amount(PAGE, "kB", 53, 49),
    "core/jax-js": faster(PAGE, "jax-js"),
    "core/tfjs": faster(PAGE, "tfjs"),
    program: amount("the same page by jarvis-snn", "kB", 81, 77),
    package: amount("the package with all exports, minified and gzipped", "kB"),
  },
  start: {
    import: amount("import, with the compilation of the kernels", "ms"),
    toy: amount("from import to the end of the first toy step", "ms", 62, 50),
    core: amount("from import to the end of the first toy step, by jarvis-snn/core", "ms", 46, 38),
  },
} as const satisfies Record<string, Record<string, Target>>;

export type Family = keyof typeof TARGETS;
