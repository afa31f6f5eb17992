/** `node --import` loads this before a benchmark whose kernels are to be counted. */
import { countKernels } from "./profile.ts";

countKernels();
