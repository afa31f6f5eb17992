/** E-prop: spikes, traces and accumulated gradients of each step, and backpropagation with the paths cut that it cuts. */
import { epropSuite } from "./eprop.ts";

for (const task of ["classification", "regression"]) epropSuite(`eprop/${task}`);
