import { isOneInstance, train } from "./train.js";

postMessage({ weights: train(), one: isOneInstance() });
