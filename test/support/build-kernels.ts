/** Tests run right after `npm ci`: the kernels are built on the way if they are not there yet. */
import { buildKernels } from "../../scripts/build-kernels.mjs";

export default () => buildKernels();
