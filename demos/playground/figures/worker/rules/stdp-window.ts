/** The window of a rule, computed once. */
import { pairWindow } from "../../../../neighbours/window.ts";
import type { Send, Turns } from "../protocol.ts";

export interface WindowMessage {
  /** Δw for each time between the spikes, as `pairWindow` has it. */
  readonly changes: Float32Array;
}

export function* run(_: unknown, send: Send<WindowMessage>): Turns {
  const changes = pairWindow();
  send({ changes }, [changes.buffer as ArrayBuffer]);
  yield Number.POSITIVE_INFINITY;
}
