/** Runs call after call in a child process, which it starts again where one has ended or hung it, and sums up. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { again } from "../command.ts";
import type { Reply, Request } from "./child.ts";
import { type Case, DAMAGED, FAULTS, type Finding } from "./code.ts";
import { type Choice, generate } from "./generate.ts";
import { minimise } from "./minimise.ts";
import { printCase } from "./print.ts";

export interface AttackOptions {
  /** The bundle of child.ts, or a process of it that others use afterwards. */
  readonly child: string | Child;
  /** The number of the first call; the next ones count on. */
  readonly seed: number;
  /** Ends after so many calls, or so many milliseconds. */
  readonly calls?: number;
  readonly milliseconds?: number;
  /** Calls of these targets only. */
  readonly only?: readonly string[];
  /** Calls without a fault in their arguments, target by target. */
  readonly isPlain?: boolean;
  /** What is broken on purpose. */
  readonly broken?: string;
  /** Findings are cut down to what they need, by default; each call on the way to there may end a process. */
  readonly isCut?: boolean;
  /** Ends with the first finding of this kind. */
  readonly until?: Finding["kind"];
  /** A call that takes longer hangs, in milliseconds; long enough for a machine that has other things to do. */
  readonly patience?: number | undefined;
  readonly progress?: (report: AttackReport) => void;
}

export interface AttackReport {
  calls: number;
  returned: number;
  threw: number;
  unmade: number;
  /** How many calls of each target returned. */
  readonly reached: Map<string, number>;
  /** By target and message. */
  readonly found: Map<string, Found>;
}

/** A finding with the first call that showed it, and how many did. */
export interface Found extends Finding {
  readonly case: Case;
  readonly seed: number;
  times: number;
}

/** Calls in one request, and where the first finding ends it. */
const BATCH = 200;
const FEW = 20;

/** A process that has not begun does not hang yet, in milliseconds. */
const STARTUP = 60_000;

export async function attack(options: AttackOptions): Promise<AttackReport> {
  const { seed, calls = Infinity, milliseconds = Infinity, only, isPlain, broken } = options;
  const { isCut = true, until, patience, progress } = options;
  const choice: Choice = { only, isPlain };
  const report: AttackReport = { calls: 0, returned: 0, threw: 0, unmade: 0, reached: new Map(), found: new Map() };
  const end = Date.now() + milliseconds;
  const own = typeof options.child === "string" ? new Child(options.child) : null;
  const child = own ?? (options.child as Child);
  try {
    let next = seed;
    const stop = (): boolean =>
      report.calls >= calls || Date.now() >= end || [...report.found.values()].some(({ kind }) => kind === until);
    while (!stop()) {
      const count = Math.min(until === undefined ? BATCH : FEW, calls - report.calls);
      let current = next;
      const request: Request = { seed: next, count, broken, ...choice };
      const last = await child.ask(request, patience, (reply) => {
        if (reply.outcome !== undefined) report[reply.outcome]++;
        if (reply.outcome === "returned")
          report.reached.set(reply.target as string, (report.reached.get(reply.target as string) ?? 0) + 1);
        for (const finding of reply.findings ?? []) note(report, finding, current, choice);
        if (reply.begin !== undefined) {
          current = reply.begin;
          report.calls++;
        }
      });
      if (last !== null) note(report, last, current, choice);
      next = current + 1;
      progress?.(report);
    }
    for (const found of isCut ? report.found.values() : []) {
      const run = (c: Case) => findingsOf(child, { case: c, broken }, patience);
      Object.assign(found, { case: await minimise(found, run) });
    }
  } finally {
    own?.end();
  }
  return report;
}

function note({ found }: AttackReport, finding: Finding, seed: number, choice: Choice): void {
  const c = generate(seed, choice);
  const key = `${c.target} ${finding.kind} ${finding.message.replace(/\d+/g, "#")}`;
  const known = found.get(key);
  if (known !== undefined) known.times++;
  else found.set(key, { ...finding, case: c, seed, times: 1 });
}

async function findingsOf(child: Child, request: Request, patience?: number): Promise<readonly Finding[]> {
  let findings: readonly Finding[] = [];
  const last = await child.ask(request, patience, (reply) => {
    findings = reply.findings ?? findings;
  });
  return last === null ? findings : [last, ...findings];
}

/** A process that runs calls, and after one that it has not survived the next such process. */
export class Child {
  private readonly bundle: string;
  private readonly folder = mkdtempSync(join(tmpdir(), "jarvis-snn-attack-"));
  private process: ChildProcessWithoutNullStreams | null = null;
  /** It has answered. */
  private isReady = false;
  private rest = "";
  private errors = "";

  constructor(bundle: string) {
    this.bundle = bundle;
  }

  /** Sends a request; null when all of it is done, else what the call that ran last has done to the process. */
  async ask(request: Request, patience = 20_000, answer: (reply: Reply) => void): Promise<Finding | null> {
    const child = this.started();
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return new Promise((resolve) => {
      const finish = (finding: Finding | null): void => {
        clearTimeout(timer);
        child.stdout.removeAllListeners("data");
        child.removeAllListeners("close");
        resolve(finding);
      };
      const hung = (): void => {
        this.kill();
        finish({ kind: "hang", message: `no end within ${patience / 1000} s` });
      };
      let timer = setTimeout(hung, this.isReady ? patience : STARTUP);
      child.stdout.on("data", (chunk: string) => {
        this.isReady = true;
        clearTimeout(timer);
        timer = setTimeout(hung, patience);
        const lines = (this.rest + chunk).split("\n");
        this.rest = lines.pop() as string;
        for (const line of lines) {
          const reply = JSON.parse(line) as Reply;
          answer(reply);
          if (reply.done) return finish(null);
        }
      });
      child.on("close", (code, signal) => {
        this.process = null;
        if (code === DAMAGED) return finish(null);
        const words = this.errors.split("\n").find((line) => /FATAL|Error|#/.test(line)) ?? "";
        finish({ kind: "crash", message: `the process ended: ${signal ?? code} ${words}`.trim() });
      });
    });
  }

  private started(): ChildProcessWithoutNullStreams {
    if (this.process?.exitCode === null && this.process.signalCode === null) return this.process;
    this.process = spawn(process.execPath, ["--max-old-space-size=512", this.bundle], { cwd: this.folder });
    this.process.stdout.setEncoding("utf8");
    this.process.stdin.on("error", () => {});
    this.isReady = false;
    this.errors = "";
    this.rest = "";
    this.process.stderr.on("data", (chunk) => {
      this.errors = (this.errors + chunk).slice(-4000);
    });
    return this.process;
  }

  private kill(): void {
    this.process?.removeAllListeners("close");
    this.process?.kill("SIGKILL");
    this.process = null;
  }

  end(): void {
    this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** All that was found, the worst first. */
export function sorted({ found }: AttackReport): Found[] {
  return [...found.values()].sort((x, y) => FAULTS.indexOf(x.kind) - FAULTS.indexOf(y.kind));
}

export function describeFound(found: Found): string {
  return `${found.kind}: ${found.case.target}: ${found.message}\n\n${printCase(found.case)}\n\n${again("attack", found.seed)}`;
}
