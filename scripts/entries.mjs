/** The entries of the package, and the files that they share. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** The source of each entry, by the name of its file in dist/: engine/node comes from engine/node.ts. */
export function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const built = Object.values(exports).flatMap((target) => target.default ?? []);
  const names = built.map((path) => path.replace(/^\.\/dist\/(.+)\.js$/, "$1"));
  return Object.fromEntries(names.map((name) => [name, join(root, `${name}.ts`)]));
}

/** The program of a worker of `jarvis-snn/threads`: no entry that programs import, but a file that pages serve, in dist/. */
export const WORKER = { source: "engine/threads/program.ts", file: "engine/threads/worker.js" };

/** Imports that entries do not bundle: modules of Node, and peers. */
export const external = /^node:|^(echarts|fzstd|h5wasm|h5wasm-plugins)(\/|$)/;

/** Tests the path of a source from the root on. */
const at = (pattern) => (id) => id.startsWith(root) && pattern.test(id.slice(root.length + 1));

/** Sources of spiking layers that need the compiler: no file of `jarvis-snn/core` imports one of them. */
export const COMPILED =
  /^snn\/(index|python|learning\/(?!truncated|network|in-blocks|blocks|block-values|pieces)|recurrent\/|temporal\/(psn|spiking-lstm)\.|neuron\/(before|checked|compiled|define|described|equation|form|inhibition|op|options|parts|plain-forms|reset|step)\.|neurons\/(?!(lif|leaky-integrator|with-kernels)\.)|surrogates\/traced)/;

/** Sources of the neurons of `jarvis-snn/core` that take their place when they are loaded. */
const PLAIN = /^snn\/neuron(\/plain-options|s\/with-kernels)\./;

/** Sources of spiking layers that are not entries. */
const LAYERS = /^snn\/(?!index|surrogates\/(known|surrogates)|audio\/|events\/|nir\/|plot\/|quantize\/)/;

/** The files in dist/chunks, with the sources that go into each: the first that takes a source has it. That of an entry becomes the entry. */
export const chunks = [
  { name: "arithmetic", test: at(/^engine\/core\/arithmetic\./) },
  { name: "kernels", test: at(/^kernels\/(build\/release|codes|kinds)|^engine\/core\/(memory|wasm)\./) },
  {
    name: "engine",
    test: at(
      /^kernels\/(?!build\/(int8|relaxed|relocations))|^engine\/(?!(kernels|descriptors|int8-kernels|node|extend|relaxed)\.|data\/hdf5|threads\/|fuse\/(?!(in-reference|tensors|evaluation|layout|share)\.))/,
    ),
  },
  { name: "extend", test: at(/^engine\/extend\./) },
  { name: "fuse", test: at(/^engine\/fuse\//) },
  { name: "recordings", test: at(/^snn\/events\/(bound|input|recording)\./) },
  { name: "headers", test: at(/^snn\/events\/decoder\./) },
  { name: "containers", test: at(/^snn\/events\/(arrays|packets|peers)\./) },
  { name: "h5wasm", test: at(/^snn\/files\//) },
  {
    name: "snn",
    test: (id) => at(LAYERS)(id) && !at(COMPILED)(id) && !at(PLAIN)(id),
  },
  { name: "plain", test: at(PLAIN) },
  { name: "compiler", test: at(/^snn\/neuron\/(?!before|checked|define|parts)/) },
  { name: "neuron", test: at(/^snn\/neuron(\/(before|checked|define)|s\/with-compiler)\./) },
  { name: "neurons", test: at(/^snn\/(neurons\/|neuron\/parts\.)/) },
  { name: "recurrent", test: at(/^snn\/recurrent\//) },
  { name: "compiled", test: at(LAYERS) },
];
