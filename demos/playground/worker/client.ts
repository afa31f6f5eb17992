/** The page's side of a worker. */
import type { Command, Report } from "./protocol.ts";

export class RunClient {
  private readonly worker: Worker;

  constructor(onReport: (report: Report) => void) {
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }: MessageEvent<Report>) => onReport(data));
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      const message = event.message.replace(/^Uncaught \w+: /, "");
      onReport({ kind: "problem", message: message || "The worker does not load." });
    });
  }

  send(command: Command): void {
    this.worker.postMessage(command);
  }
}
