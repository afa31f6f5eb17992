/** A worker of tasks: it computes what takes longer than a frame. */
import type { Order, Run } from "./protocol.ts";
import { Runner } from "./runner.ts";

/** Obeys the page; `load` imports the module of a task. */
export function serve(load: (name: string) => Promise<unknown>): void {
  // A timer would wait for some milliseconds, a message to oneself comes at once.
  const channel = new MessageChannel();
  const calls: (() => void)[] = [];
  channel.port1.onmessage = () => calls.shift()?.();

  const runner = new Runner(
    async (name) => ((await load(name)) as { run: Run<unknown, unknown, unknown> }).run,
    (answer, transfer = []) => postMessage(answer, { transfer }),
    (call) => {
      calls.push(call);
      channel.port2.postMessage(null);
    },
  );
  addEventListener("message", ({ data }: MessageEvent<Order>) => runner.obey(data));
}
