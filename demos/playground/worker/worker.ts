/** The worker: takes commands, trains between them, reports what there is to see. */
import { type Digits, parseDigits } from "../model/data.ts";
import type { Command, Report } from "./protocol.ts";
import { type Details, Session } from "./session.ts";

/** Longest time without looking for commands, shortest time between frames, and between frames with details. */
const BUSY_MS = 20;
const FRAME_MS = 34;
const DETAIL_MS = 200;
/** Rest after which the map is sharpened. */
const REST_MS = 250;

let session: Session | null = null;
let pace = 60;
/** When playing began or the pace changed, and the steps taken until then. */
let since = { time: 0, steps: 0 };
/** The frame before: when, and the steps taken until then. */
let last = { time: 0, steps: 0 };
let detailed = 0;
let sharpening: ReturnType<typeof setTimeout> | undefined;
let digits: Promise<Digits> | null = null;

/** Commands that wait; whether they are being carried out, one after the other. */
const commands: Command[] = [];
let obeying = false;

addEventListener("message", ({ data }: MessageEvent<Command>) => {
  // A new run makes everything that was said of the one before pointless, but the pace.
  if (data.kind === "configure") {
    const kept = commands.filter(({ kind }) => kind === "pace");
    commands.splice(0, commands.length, ...kept);
  }
  commands.push(data);
  // What else has arrived comes first: a drag sends faster than runs are made.
  if (!obeying) setTimeout(obeyAll);
});

async function obeyAll(): Promise<void> {
  if (obeying) return;
  obeying = true;
  for (let command = commands.shift(); command !== undefined; command = commands.shift()) {
    try {
      await obey(command);
    } catch (error) {
      send({ kind: "problem", message: error instanceof Error ? error.message : String(error) });
    }
  }
  obeying = false;
}

async function obey(command: Command): Promise<void> {
  if (command.kind === "configure") {
    const loaded = command.config.data === "mnist" ? await theDigits() : null;
    session?.dispose();
    session = new Session(command.config, loaded);
    send(session.setup());
    report("coarse");
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
  else if (!session.playing) report(command.kind === "look" ? "none" : "coarse");
}

/** Loaded once; again only if that failed. */
async function theDigits(): Promise<Digits> {
  digits ??= loadDigits();
  try {
    return await digits;
  } catch (error) {
    digits = null;
    throw error;
  }
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

/** One turn waits at a time, however often it is paused and played. */
let scheduled = false;

/** The next turn: at once at full speed, else with the next picture. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  if (pace === 0) channel.port2.postMessage(null);
  else setTimeout(turn, Math.min(FRAME_MS / 2, 1000 / pace));
}

/** Takes the steps that are due, or as many as fit. */
function turn(): void {
  scheduled = false;
  if (session === null || !session.playing) return;
  const start = performance.now();
  const due = pace === 0 ? Number.POSITIVE_INFINITY : since.steps + ((start - since.time) / 1000) * pace;
  while (session.playing && session.steps < due && performance.now() - start < BUSY_MS) session.step();
  if (session.steps < due && pace !== 0) restartClock();
  const now = performance.now();
  if (!session.playing) report("coarse");
  else if (now - last.time >= FRAME_MS) report(now - detailed >= DETAIL_MS ? "coarse" : "none");
  if (session.playing) schedule();
}

function report(details: Details): void {
  if (session === null) return;
  const now = performance.now();
  const rate = session.playing ? ((session.steps - last.steps) / (now - last.time)) * 1000 : 0;
  last = { time: now, steps: session.steps };
  send(session.frame(rate, details));
  if (details !== "none") detailed = performance.now();
  if (details === "coarse") {
    clearTimeout(sharpening);
    sharpening = setTimeout(() => {
      if (session?.playing === false) report("fine");
    }, REST_MS);
  }
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
