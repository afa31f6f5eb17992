/** Trains on the page and in a worker, and sends the results to the test, and the error of threads, for which the page lacks headers. */
import { threads } from "jarvis-snn/threads";
import { isOneInstance, train } from "./train.js";

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const fromWorker = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(`worker: ${message}`));
});
const refused = await threads(2).catch(({ message }) => message);
const results = { page: { weights: train(), one: isOneInstance() }, worker: await fromWorker, refused };
await fetch("/result", { method: "POST", body: JSON.stringify(results) });
