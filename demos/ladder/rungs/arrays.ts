/** Rung 2: arrays. A tensor is one object for all of its numbers, and an op is a loop over them: nano-js is this rung. */
export { toy } from "../../nano/nano-js.ts";
