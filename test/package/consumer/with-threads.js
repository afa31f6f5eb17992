/** The names of neurons without the compiler, with threads. */
import { trainWithThreads } from "./threads.js";

const { weights, counts } = await trainWithThreads();
export const result = { one: new Set(weights).size, counts };
