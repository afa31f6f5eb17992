/**
 * The program of a worker as a file, `jarvis-snn/threads/worker`, for pages whose content policy forbids workers from
 * blobs. The built file imports nothing, so a page can serve a copy from anywhere.
 */
import { type Start, work } from "./worker.ts";

/** Global object of a web worker; the package does not require its types. */
interface Scope {
  onmessage: (event: { readonly data: Start }) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data }) => work(data, () => scope.postMessage("ready"));
