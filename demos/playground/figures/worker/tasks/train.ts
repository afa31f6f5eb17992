/** A network that trains under the hands of a reader: commands, steps between them, and reports of what there is to see. */
import { type Digits, parseDigits } from "../../../model/digits.ts";
import { type CellsOf, isPlain, plainCells } from "../../../model/network.ts";
import type { TrainConfig } from "../../../model/train-fields.ts";
import { originOf } from "../../../model/weights.ts";
import type { Command, Report } from "../../train/protocol.ts";
import { type Resolution, Session } from "../../train/session.ts";
import { buffersIn, NOT_LOADED, type Send, type Turns } from "../protocol.ts";

export interface TrainParameters {
  /** The address of the file of digits. */
  readonly digits: string;
}

/** Longest time of the steps of a turn, shortest time between frames, and between frames with details. */
const BUSY_MS = 20;
const FRAME_MS = 34;
const DETAIL_MS = 200;
/** Rest after which the map is sharpened. */
const REST_MS = 250;
/** Time over which the speed is averaged. */
const RATE_MS = 1000;

export async function* run({ digits }: TrainParameters, send: Send<Report>): Turns<Command> {
  const trainer = new Trainer(digits, (report) => send(report, buffersIn(report)));
  try {
    for (let commands: readonly Command[] = []; ; ) {
      await trainer.obey(commands);
      commands = yield trainer.turn();
    }
  } finally {
    trainer.end();
  }
}

class Trainer {
  private readonly address: string;
  private readonly send: (report: Report) => void;
  /** The run; null before the first command `configure`, and after its digits failed to load. */
  private session: Session | null = null;
  /** The settings of the last command `configure` or `load`; a run by them may not have loaded its digits. */
  private wanted: TrainConfig | null = null;
  private digits: Promise<Digits> | null = null;
  private pace = 60;
  /** When playing began or the pace changed, and the steps taken until then. */
  private since = { time: 0, steps: 0 };
  /** The frame before: when, and the steps taken until then. */
  private last = { time: 0, steps: 0 };
  /** Steps a second, and the time for which they have been averaged. */
  private rate = { value: 0, ms: 0 };
  private detailed = 0;
  /** A frame that commands have asked for. */
  private asked: "sample" | "all" | null = null;
  /** The map that is being computed, a piece a turn, and when a finer one is due. */
  private map: Iterator<undefined, Float32Array> | null = null;
  private isFine = false;
  private sharpenAt = Number.POSITIVE_INFINITY;

  constructor(address: string, send: (report: Report) => void) {
    this.address = address;
    this.send = send;
  }

  /** Carries out commands. A new run makes all that was said of the one before pointless, but the pace. */
  async obey(commands: readonly Command[]): Promise<void> {
    const begins = commands.findLastIndex(({ kind }) => kind === "configure");
    for (const [i, command] of commands.entries()) {
      if (i < begins && command.kind !== "pace") continue;
      try {
        await this.carryOut(command);
      } catch (error) {
        this.complain(error);
      }
    }
    if (commands.length > 0) this.send({ kind: "obeyed", commands: commands.length });
  }

  /** One piece of work; returns the milliseconds until the next one. */
  turn(): number {
    const { session } = this;
    if (session === null) return Number.POSITIVE_INFINITY;
    try {
      if (this.asked !== null) this.report(session, this.asked === "all");
      else if (this.map !== null) this.mapOn(session, this.map);
      else if (session.playing) this.train(session);
      else if (performance.now() >= this.sharpenAt) this.startMap(session, "fine");
    } catch (error) {
      session.playing = false;
      this.map = null;
      this.complain(error);
    }
    if (this.asked !== null || this.map !== null) return 0;
    if (session.playing) return this.pace === 0 ? 0 : Math.min(FRAME_MS / 2, 1000 / this.pace);
    return Math.max(0, this.sharpenAt - performance.now());
  }

  end(): void {
    this.session?.dispose();
    this.session = null;
    this.map = null;
    this.asked = null;
    this.sharpenAt = Number.POSITIVE_INFINITY;
  }

  private async carryOut(command: Command): Promise<void> {
    if (command.kind === "configure") {
      this.wanted = command.config;
      await this.configure(this.wanted);
    } else if (command.kind === "pace") {
      this.pace = command.stepsPerSecond;
      this.restartClock();
    } else if (command.kind === "load") await this.load(command.bytes);
    else {
      // A run whose digits did not load is configured again: the network may be back.
      if (this.session === null && this.wanted !== null) await this.configure(this.wanted);
      if (this.session !== null) this.control(this.session, command);
    }
  }

  private control(session: Session, command: Exclude<Command, { kind: "configure" | "pace" | "load" }>): void {
    if (command.kind === "save") {
      this.send({ kind: "saved", bytes: session.save() });
      return;
    }
    if (command.kind === "look") {
      session.look(command.at);
      // A look changes the sample alone.
      if (!session.playing) this.asked ??= "sample";
      return;
    }
    if (command.kind === "silence") {
      session.silence(command.neurons);
      this.asked = "all";
      return;
    }
    if (command.kind === "watch") {
      session.watched = command.neuron;
      this.startMap(session, "coarse");
      return;
    }
    // The command changes the picture, so an unfinished map of the previous picture is dropped.
    this.map = null;
    if (command.kind === "play") {
      session.playing = true;
      session.until = command.until ?? Number.POSITIVE_INFINITY;
      session.recall(null);
      this.restartClock();
      return;
    }
    session.playing = false;
    if (command.kind === "step") session.step();
    if (command.kind === "recall") session.recall(command.snapshot);
    this.asked = "all";
  }

  /** Another session in the place of the one before, which ends first: its memory is needed. */
  private async configure(config: TrainConfig): Promise<void> {
    this.end();
    const digits = await this.digitsFor(config);
    this.begin(new Session(config, digits, null, await cellsFor(config)));
  }

  private async load(bytes: Uint8Array): Promise<void> {
    const config = originOf(bytes).config ?? this.wanted;
    if (config === null) return;
    const loaded = new Session(config, await this.digitsFor(config), bytes, await cellsFor(config));
    this.wanted = config;
    this.end();
    this.begin(loaded);
  }

  private begin(session: Session): void {
    this.session = session;
    this.restartClock();
    this.send(session.setup());
    this.asked = "all";
  }

  /** Loaded once; again only if that failed. */
  private async digitsFor({ data }: TrainConfig): Promise<Digits | null> {
    if (data !== "mnist") return null;
    this.digits ??= loadDigits(this.address);
    try {
      return await this.digits;
    } catch (error) {
      this.digits = null;
      throw error;
    }
  }

  private restartClock(): void {
    this.since = { time: performance.now(), steps: this.session?.steps ?? 0 };
    this.last = this.since;
    this.rate = { value: 0, ms: 0 };
  }

  /** Trains for the steps that are due, or as many as fit into a slice. */
  private train(session: Session): void {
    const start = performance.now();
    const due =
      this.pace === 0 ? Number.POSITIVE_INFINITY : this.since.steps + ((start - this.since.time) / 1000) * this.pace;
    while (session.playing && session.steps < due && performance.now() - start < BUSY_MS) session.step();
    const now = performance.now();
    // Steps that could not be taken in time are not caught up with.
    if (session.steps < due && this.pace !== 0) this.since = { time: now, steps: session.steps };
    if (!session.playing) this.report(session, true);
    else if (now - this.last.time >= FRAME_MS) this.report(session, now - this.detailed >= DETAIL_MS);
  }

  /** Sends a frame; with details, a map follows. */
  private report(session: Session, isDetailed: boolean): void {
    this.asked = null;
    const now = performance.now();
    const passed = now - this.last.time;
    if (session.playing && passed > 0) {
      const known = Math.min(RATE_MS, this.rate.ms);
      const steps = 1000 * (session.steps - this.last.steps);
      this.rate = { value: (this.rate.value * known + steps) / (known + passed), ms: this.rate.ms + passed };
    }
    this.last = { time: now, steps: session.steps };
    this.send(session.frame(this.rate.value, isDetailed));
    if (!isDetailed) return;
    this.detailed = performance.now();
    this.startMap(session, "coarse");
  }

  private mapOn(session: Session, map: Iterator<undefined, Float32Array>): void {
    const { done, value } = map.next();
    if (done !== true) return;
    this.map = null;
    this.send({ kind: "map", of: session.watched, map: value, isFine: this.isFine });
    if (!this.isFine) this.sharpenAt = performance.now() + REST_MS;
  }

  private startMap(session: Session, resolution: Resolution): void {
    this.sharpenAt = Number.POSITIVE_INFINITY;
    this.isFine = resolution === "fine";
    this.map = session.map(resolution);
  }

  private complain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const full =
      "The network needs more memory than the browser gives. Take fewer time steps, fewer neurons or smaller batches, and reload the page.";
    this.send({ kind: "problem", message: message.startsWith("out of memory") ? full : message });
  }
}

/** Neurons besides LIF and connections within a layer are loaded when they are chosen. */
async function cellsFor(config: TrainConfig): Promise<CellsOf> {
  if (isPlain(config)) return plainCells;
  const loaded = await import("../../../model/cells.ts").catch(() => null);
  if (loaded === null) throw new Error(NOT_LOADED);
  return loaded.anyCells;
}

async function loadDigits(address: string): Promise<Digits> {
  const response = await fetch(address).catch(() => null);
  if (response === null) throw new Error("The digits do not load. Is there a network?");
  if (!response.ok) throw new Error(`The digits do not load: ${response.url} answers ${response.status}.`);
  return parseDigits(new Uint8Array(await response.arrayBuffer()));
}
