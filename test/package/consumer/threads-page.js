/** Trains with threads on the page, and then in a worker, and sends the results to the page around it. */
import { trainWithThreads } from "./threads.js";

const page = await trainWithThreads();
const worker = new Worker(new URL("./threads-worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => parent.ended(location.pathname, { page, worker: data });
worker.onerror = ({ message }) => parent.ended(location.pathname, { page, worker: message });
