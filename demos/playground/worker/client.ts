/** The page's side of a worker. */
import type { Command, Report } from "./protocol.ts";

/** Work that takes longer is told of. */
const PATIENCE_MS = 250;

const NOT_LOADED =
  "The part of this page that computes does not load: the network may be away, or the page has been renewed. Reload the page.";

export interface ClientEvents {
  onReport(report: Report): void;
  /** The worker has been at work for a while, perhaps at something new by now; or it has done all that it was told. */
  onBusy(busy: boolean): void;
}

export class RunClient {
  private readonly worker: Worker;
  private readonly events: ClientEvents;
  /** Commands that the worker has not carried out. */
  private waiting = 0;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** The page has been told that the worker is at work. */
  private isTold = false;
  private broken: string | null = null;

  constructor(events: ClientEvents) {
    this.events = events;
    this.worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }: MessageEvent<Report>) => this.receive(data));
    this.worker.addEventListener("error", (event) => {
      event.preventDefault();
      // A script that does not load, or is none, gives an event without a message.
      const { message } = event as Partial<ErrorEvent>;
      this.broken = message?.replace(/^Uncaught (\w+: )?/, "") || NOT_LOADED;
      this.settle();
      events.onReport({ kind: "problem", message: this.broken });
    });
  }

  send(command: Command): void {
    if (this.broken !== null) {
      this.events.onReport({ kind: "problem", message: this.broken });
      return;
    }
    this.worker.postMessage(command);
    this.waiting++;
    if (this.isTold) this.events.onBusy(true);
    this.patience ??= setTimeout(() => {
      this.isTold = true;
      this.events.onBusy(true);
    }, PATIENCE_MS);
  }

  private receive(report: Report): void {
    if (report.kind === "obeyed") {
      this.waiting -= report.commands;
      if (this.waiting === 0) this.settle();
    }
    this.events.onReport(report);
  }

  private settle(): void {
    this.waiting = 0;
    clearTimeout(this.patience);
    this.patience = undefined;
    this.isTold = false;
    this.events.onBusy(false);
  }
}
