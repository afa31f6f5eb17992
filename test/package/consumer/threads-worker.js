import { trainWithThreads } from "./threads.js";

postMessage(await trainWithThreads());
