/** The worker: takes commands, trains between them, reports what there is to see. */
import { type Digits, parseDigits } from "../model/data.ts";
import type { Command, Report } from "./protocol.ts";
import { Session } from "./session.ts";

/** Longest time without looking for commands, shortest time between frames, and between frames with details. */
const BUSY_MS = 20;
const FRAME_MS = 34;
const DETAIL_MS = 200;

let session: Session | null = null;
let pace = 60;
/** When playing began or the pace changed, and the steps taken until then. */
let since = { time: 0, steps: 0 };
/** The frame before: when, and the steps taken until then. */
let last = { time: 0, steps: 0 };
let detailed = 0;
let digits: Promise<Digits> | null = null;
/** Commands are carried out one after the other; loading the digits takes a moment. */
let queue: Promise<void> = Promise.resolve();

addEventListener("message", ({ data }: MessageEvent<Command>) => {
  queue = queue.then(() => obey(data)).catch((error: unknown) => send({ kind: "problem", message: String(error) }));
});

async function obey(command: Command): Promise<void> {
  if (command.kind === "configure") {
    const needed = command.config.data === "mnist";
    if (needed) digits ??= loadDigits();
    const loaded = needed ? await digits : null;
    session?.dispose();
    session = new Session(command.config, loaded);
    send(session.setup());
    report(true);
    return;
  }
  if (command.kind === "pace") {
    pace = command.stepsPerSecond;
    restartClock();
    return;
  }
  if (session === null) return;
  if (command.kind === "save") {
    send({ kind: "saved", bytes: session.save() });
    return;
  }
  const wasPlaying = session.playing;
  if (command.kind === "play") {
    session.playing = true;
    session.until = command.until ?? Number.POSITIVE_INFINITY;
    session.recall(null);
    restartClock();
  } else if (command.kind === "pause") session.playing = false;
  else if (command.kind === "step") {
    session.playing = false;
    session.step();
  } else if (command.kind === "look") session.look(command.at);
  else if (command.kind === "recall") {
    session.playing = false;
    session.recall(command.snapshot);
  } else session.load(command.bytes);
  if (session.playing && !wasPlaying) schedule();
  // A look changes the sample alone.
  else if (!session.playing) report(command.kind !== "look");
}

async function loadDigits(): Promise<Digits> {
  const response = await fetch(new URL(/* @vite-ignore */ "../digits.bin", import.meta.url));
  if (!response.ok) throw new Error(`The digits do not load: ${response.url} answers ${response.status}.`);
  return parseDigits(new Uint8Array(await response.arrayBuffer()));
}

function restartClock(): void {
  since = { time: performance.now(), steps: session?.steps ?? 0 };
}

const channel = new MessageChannel();
channel.port1.onmessage = () => turn();

/** The next turn: at once at full speed, else with the next picture. */
function schedule(): void {
  if (pace === 0) channel.port2.postMessage(null);
  else setTimeout(turn, Math.min(FRAME_MS / 2, 1000 / pace));
}

/** Takes the steps that are due, or as many as fit. */
function turn(): void {
  if (session === null || !session.playing) return;
  const start = performance.now();
  const due = pace === 0 ? Number.POSITIVE_INFINITY : since.steps + ((start - since.time) / 1000) * pace;
  while (session.playing && session.steps < due && performance.now() - start < BUSY_MS) session.step();
  if (session.steps < due && pace !== 0) restartClock();
  const now = performance.now();
  if (!session.playing) report(true);
  else if (now - last.time >= FRAME_MS) report(now - detailed >= DETAIL_MS);
  if (session.playing) schedule();
}

function report(withDetail: boolean): void {
  if (session === null) return;
  const now = performance.now();
  const rate = session.playing ? ((session.steps - last.steps) / (now - last.time)) * 1000 : 0;
  last = { time: now, steps: session.steps };
  send(session.frame(rate, withDetail));
  if (withDetail) detailed = performance.now();
}

/** Typed arrays go along, they are not copied. */
function send(message: Report): void {
  const transfer = new Set<Transferable>();
  collect(message, transfer);
  postMessage(message, { transfer: [...transfer] });
}

function collect(value: unknown, into: Set<Transferable>): void {
  if (ArrayBuffer.isView(value)) into.add(value.buffer as ArrayBuffer);
  else if (typeof value === "object" && value !== null) for (const item of Object.values(value)) collect(item, into);
}
