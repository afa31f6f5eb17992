/** The one worker of a page: it computes what takes longer than a frame. */
import type { Order, Run } from "./protocol.ts";
import { Runner } from "./runner.ts";

const runner = new Runner(
  async (name) => ((await import(`./tasks/${name}.ts`)) as { run: Run<unknown, unknown, unknown> }).run,
  (answer, transfer = []) => postMessage(answer, { transfer }),
);

addEventListener("message", ({ data }: MessageEvent<Order>) => runner.obey(data));
