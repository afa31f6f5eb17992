/** The worker: takes commands, trains between them, reports what there is to see. */
import { type Digits, parseDigits } from "../model/digits.ts";
import type { TrainConfig } from "../model/train-fields.ts";
import { originOf } from "../model/weights.ts";
import type { Command, Report } from "./protocol.ts";
import { type Resolution, Session } from "./session.ts";

/** No details, or some with a map of that resolution. */
type Details = "none" | Resolution;

/** Longest time without looking for commands, shortest time between frames, and between frames with details. */
const BUSY_MS = 20;
const FRAME_MS = 34;
const DETAIL_MS = 200;
/** Rest after which the map is sharpened. */
const REST_MS = 250;
/** Time over which the speed is averaged. */
const RATE_MS = 1000;

/** The run; null before the first command `configure`, and while the digits of a run load or after they failed to. */
let session: Session | null = null;
/** The settings of the last command `configure` or `load`; a run by them may not have loaded its digits. */
let wanted: TrainConfig | null = null;
let pace = 60;
/** When playing began or the pace changed, and the steps taken until then. */
let since = { time: 0, steps: 0 };
/** The frame before: when, and the steps taken until then. */
let last = { time: 0, steps: 0 };
/** Steps a second, and the time for which they have been averaged. */
let rate = { value: 0, ms: 0 };
let detailed = 0;
/** Counts the commands that change what is shown; a map of what was shown before is not finished. */
let edition = 0;
let sharpening: ReturnType<typeof setTimeout> | undefined;
let digits: Promise<Digits> | null = null;

/** Commands that wait; whether they are being carried out, one after the other. */
const commands: Command[] = [];
let obeying = false;

addEventListener("message", ({ data }: MessageEvent<Command>) => {
  // A new run makes everything that was said of the one before pointless, but the pace.
  if (data.kind === "configure") {
    const kept = commands.filter(({ kind }) => kind === "pace");
    const dropped = commands.splice(0, commands.length, ...kept).length - kept.length;
    if (dropped > 0) send({ kind: "obeyed", commands: dropped });
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
      complain(error);
    }
    send({ kind: "obeyed", commands: 1 });
  }
  obeying = false;
}

function complain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const full =
    "The network needs more memory than the browser gives. Take fewer time steps, fewer neurons or smaller batches, and reload the page.";
  send({ kind: "problem", message: message.startsWith("out of memory") ? full : message });
}

async function obey(command: Command): Promise<void> {
  if (command.kind === "configure") {
    wanted = command.config;
    await configure(wanted);
    return;
  }
  if (command.kind === "pace") {
    pace = command.stepsPerSecond;
    restartClock();
    return;
  }
  if (command.kind === "load") {
    const { bytes } = command;
    const config = originOf(bytes).config ?? wanted;
    if (config === null) return;
    const digits = await digitsFor(config);
    const loaded = new Session(config, digits, bytes);
    wanted = config;
    end();
    begin(loaded);
    return;
  }
  // A run whose digits did not load is configured again: the network may be back.
  if (session === null && wanted !== null) await configure(wanted);
  if (session === null) return;
  if (command.kind === "save") {
    send({ kind: "saved", bytes: session.save() });
    return;
  }
  if (command.kind !== "look") edition++;
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
  }
  if (session.playing && !wasPlaying) schedule();
  // A look changes the sample alone.
  else if (!session.playing) report(command.kind === "look" ? "none" : "coarse").catch(complain);
}

/** Another session in the place of the one before, which ends first: its frames would pass for new ones, its memory is needed. */
async function configure(config: TrainConfig): Promise<void> {
  end();
  const digits = await digitsFor(config);
  begin(new Session(config, digits));
}

function end(): void {
  edition++;
  clearTimeout(sharpening);
  session?.dispose();
  session = null;
}

function begin(next: Session): void {
  session = next;
  restartClock();
  send(session.setup());
  report("coarse").catch(complain);
}

/** Loaded once; again only if that failed. */
async function digitsFor({ data }: TrainConfig): Promise<Digits | null> {
  if (data !== "mnist") return null;
  digits ??= loadDigits();
  try {
    return await digits;
  } catch (error) {
    digits = null;
    throw error;
  }
}

async function loadDigits(): Promise<Digits> {
  const response = await fetch(new URL(/* @vite-ignore */ "../digits.bin", import.meta.url)).catch(() => null);
  if (response === null) throw new Error("The digits do not load. Is there a network?");
  if (!response.ok) throw new Error(`The digits do not load: ${response.url} answers ${response.status}.`);
  return parseDigits(new Uint8Array(await response.arrayBuffer()));
}

function restartClock(): void {
  since = { time: performance.now(), steps: session?.steps ?? 0 };
  last = since;
  rate = { value: 0, ms: 0 };
}

const channel = new MessageChannel();
channel.port1.onmessage = () => run();

/** Lets messages in. */
const breath = (): Promise<void> => new Promise((resume) => setTimeout(resume));

/** One turn waits at a time, however often it is paused and played. */
let scheduled = false;

/** The next turn: at once at full speed, else with the next picture. */
function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  if (pace === 0) channel.port2.postMessage(null);
  else setTimeout(run, Math.min(FRAME_MS / 2, 1000 / pace));
}

function run(): void {
  turn().catch((error) => {
    if (session !== null) session.playing = false;
    complain(error);
  });
}

/** Takes the steps that are due, or as many as fit. */
async function turn(): Promise<void> {
  scheduled = false;
  if (session === null || !session.playing) return;
  const start = performance.now();
  const due = pace === 0 ? Number.POSITIVE_INFINITY : since.steps + ((start - since.time) / 1000) * pace;
  while (session.playing && session.steps < due && performance.now() - start < BUSY_MS) session.step();
  // Steps that could not be taken in time are not caught up with.
  if (session.steps < due && pace !== 0) since = { time: performance.now(), steps: session.steps };
  const now = performance.now();
  if (!session.playing) await report("coarse");
  else if (now - last.time >= FRAME_MS) await report(now - detailed >= DETAIL_MS ? "coarse" : "none");
  if (session?.playing === true) schedule();
}

/** Sends a frame; then the map, between whose pieces commands are carried out. */
async function report(details: Details): Promise<void> {
  if (session === null) return;
  const now = performance.now();
  if (session.playing) rate = averaged((1000 * (session.steps - last.steps)) / (now - last.time), now - last.time);
  last = { time: now, steps: session.steps };
  send(session.frame(rate.value, details !== "none"));
  if (details === "none") return;
  detailed = performance.now();
  const began = edition;
  const pieces = session.map(details);
  let piece = pieces?.next();
  while (pieces !== null && piece?.done === false) {
    await breath();
    if (edition !== began) return;
    piece = pieces.next();
  }
  if (piece?.done === true) send({ kind: "map", map: piece.value });
  if (details === "fine") return;
  clearTimeout(sharpening);
  sharpening = setTimeout(() => {
    if (session?.playing === false) report("fine").catch(complain);
  }, REST_MS);
}

/** The mean of the speed over the last second, or since it is measured. */
function averaged(value: number, ms: number): typeof rate {
  if (!Number.isFinite(value)) return rate;
  const known = Math.min(RATE_MS, rate.ms);
  return { value: (rate.value * known + value * ms) / (known + ms), ms: rate.ms + ms };
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
