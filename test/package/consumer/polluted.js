/** Trains beside a library that has put something on the prototype of all objects. */
Object.prototype.extend = () => {};
const { train } = await import("./train.js");
const { codes, kinds } = await import("jarvis-snn/kernels");
console.log(JSON.stringify({ weights: train(), names: Object.keys({ ...codes, ...kinds }) }));
