/**
 * The program of a worker as a file, `jarvis-snn/threads/worker`, for pages whose content policy forbids workers from blobs: the file imports
 * nothing, so that a page can serve a copy of it from any place.
 */
import { type Start, work } from "./worker.ts";

/** The global object of a worker of the web, whose types the package does not ask for. */
interface Scope {
  onmessage: (event: { readonly data: Start }) => void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data }) => work(data, () => scope.postMessage("ready"));
