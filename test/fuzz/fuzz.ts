/** Runs program after program and sums up; stops at the first finding. */
import type { Backend } from "../../engine/core/backend.ts";
import { memoryStats, resetPeak } from "../../engine/index.ts";
import { alone, threadsNow } from "../support/sharing.ts";
import { again } from "./command.ts";
import { compare, type Deviations, Finding, resultsOf } from "./compare.ts";
import { type Choice, generate } from "./generate.ts";
import { minimise } from "./minimise.ts";
import { type Leaf, type Program, print } from "./program.ts";

export interface FuzzOptions extends Choice {
  /** The first program; the next ones count on. */
  seed: number;
  /** Ends after so many programs, or so many milliseconds. */
  programs?: number;
  milliseconds?: number;
  /** Kernels to be tested instead of those of the package. */
  backend?: Backend;
  /** Where threads run, the kernels of programs whose seed is a multiple of this run with all of them too. Default 1. */
  every?: number;
  /** Called after every program. */
  progress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  programs: number;
  /** Ops that were compared, leaves left out. */
  ops: number;
  /** Programs in which a neuron came too close to its threshold. */
  abandoned: number;
  readonly deviations: Deviations;
  failure: Failure | null;
}

export interface Failure {
  readonly seed: number;
  readonly finding: Finding;
  /** What is left of the program when everything is taken away that the finding does not need. */
  readonly program: Program;
}

/** Memory that may be held beside the arena of the largest program: persistent blocks, and the poison. */
const RESERVE = 2 ** 23;

export function fuzz(options: FuzzOptions): FuzzReport {
  const { seed, programs = Infinity, milliseconds = Infinity, progress } = options;
  const report: FuzzReport = { programs: 0, ops: 0, abandoned: 0, deviations: new Map(), failure: null };
  const end = Date.now() + milliseconds;
  let peak = 0;
  for (let s = seed; report.programs < programs && Date.now() < end; s++) {
    resetPeak();
    const failure = runOne(s, report, options);
    report.programs++;
    const { peak: used, reserved } = memoryStats();
    peak = Math.max(peak, used);
    if (failure !== null) report.failure = failure;
    else if (reserved > 2 * peak + RESERVE) {
      const finding = new Finding("memory", `${reserved} bytes are reserved for programs that use up to ${peak}`);
      report.failure = { seed: s, finding, program: generate(s, options).program };
    }
    progress?.(report);
    if (report.failure !== null) break;
  }
  return report;
}

function runOne(seed: number, report: FuzzReport, options: FuzzOptions): Failure | null {
  const { backend, every = 1 } = options;
  const shared = threadsNow() > 1 && seed % every === 0;
  const { program, error } = alone(() => generate(seed, options));
  report.ops += program.items.filter((item) => item.kind === "step").length;
  const { finding, abandoned } =
    error === null
      ? compare(program, report.deviations, backend, shared)
      : { finding: new Finding("crash", String(error), { cause: error }), abandoned: false };
  if (abandoned) report.abandoned++;
  if (finding === null) return null;
  const again = (p: Program): boolean => compare(p, new Map(), backend, shared).finding?.op === finding.op;
  const results = (p: Program): ReadonlyMap<number, Leaf> => alone(() => resultsOf(p, backend));
  // What does not show a second time cannot be cut down.
  return { seed, finding, program: again(program) ? minimise(program, again, results) : program };
}

/** What to print of a failure. */
export function describe({ seed, finding, program }: Failure): string {
  const stack = finding.cause instanceof Error ? `\n${finding.cause.stack}` : "";
  const line = again("programs", seed, threadsNow());
  return `${finding.message}${stack}\n\nwhat it needs:\n${print(program)}\n\n${line}`;
}

/** One line an op, the largest deviations first. */
export function table(deviations: Deviations): string {
  const rows = [...deviations].filter(([, { count }]) => count > 0);
  const worst = ({ value, gradient }: { value: number; gradient: number }): number => Math.max(value, gradient);
  rows.sort(([, x], [, y]) => worst(y) - worst(x));
  const cell = (x: number): string => (x === 0 ? "exact" : x.toExponential(1)).padStart(9);
  const lines = rows.map(
    ([op, d]) => `${op.padEnd(18)}${String(d.count).padStart(9)}${cell(d.value)}${cell(d.gradient)}`,
  );
  return [`${"op".padEnd(18)}${"runs".padStart(9)}${"value".padStart(9)}${"gradient".padStart(9)}`, ...lines].join(
    "\n",
  );
}
