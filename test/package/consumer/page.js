/** Trains on the page and in a worker, and leaves the results where the test looks. */
import { isOneInstance, train } from "./train.js";

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const fromWorker = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(`worker: ${message}`));
});
window.results = { page: { weights: train(), one: isOneInstance() }, worker: await fromWorker };
