/** Rung 8: threads. The kernels of the package share their work among the cores; every sum has the order, and so the bits, of one thread. */
import { threads } from "jarvis-snn/threads";

export { toy, tutorial5 } from "./package.ts";

/** Called before steps are taken, and after them. */
export const enter = (): Promise<number> => threads();
export const leave = (): Promise<number> => threads(1);
