/** The declarations where a compiler knows the types of a browser. */
import { DataLoader, fit, Linear, mseLoss, SGD, type Tensor, TensorDataset } from "jarvis-snn";
import { memory } from "jarvis-snn/kernels";

/** A module of one's own over the memory of the kernels. */
const own = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(8)), { env: { memory } });
export const run: unknown = own.exports.run;
export const whole: WebAssembly.Memory = memory;

const model = new Linear(1, 1);
const loader = new DataLoader(new TensorDataset(new Float32Array(1), new Float32Array(1)), { batchSize: 1 });
const loss = (output: Tensor, y: Tensor | Int32Array) => mseLoss(output, y as Tensor);
const { signal } = new AbortController();
export const history = fit(model, loader, { epochs: 1, optimizer: new SGD(model.parameters()), loss, signal });
