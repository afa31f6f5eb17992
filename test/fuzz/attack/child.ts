/**
 * A process of its own that runs calls, since one may hang it or end it. Each line on its standard input is a request, a call or a range
 * of numbers; before each call of a range it writes the number, in one line with what came of the call before, as lines cost time.
 */
import * as fs from "node:fs";
import { createInterface } from "node:readline";
import * as kernels from "../../../engine/kernels.ts";
import * as node from "../../../engine/node.ts";
import * as all from "../../../index.ts";
import * as audio from "../../../snn/audio/index.ts";
import * as events from "../../../snn/events/index.ts";
import * as nir from "../../../snn/nir/index.ts";
import * as quantize from "../../../snn/quantize/index.ts";
import { BROKEN } from "./broken.ts";
import { type Case, DAMAGED, type Finding } from "./code.ts";
import { type Choice, generate } from "./generate.ts";
import { evaluate } from "./judge.ts";
import { setCanaries, watchHeap } from "./ledger.ts";
import { GRAPHS } from "./nir.ts";
import { run } from "./run.ts";
import { names, type Outcome } from "./trial.ts";
import { HELPERS } from "./values.ts";

export type Request = ({ readonly case: Case } | (Choice & { readonly seed: number; readonly count: number })) & {
  /** The name of a defect that the calls have to find. */
  readonly broken?: string | undefined;
};
/** A line of the answer; the first one says that the process is there. */
export interface Reply {
  readonly target?: string;
  readonly outcome?: Outcome;
  readonly findings?: readonly Finding[];
  /** The call that begins. */
  readonly begin?: number;
  /** All is done. */
  readonly done?: true;
}

const reply = (line: Reply): void => {
  fs.writeSync(1, `${JSON.stringify(line)}\n`);
};

watchHeap();
setCanaries();
const whole: Record<string, unknown> = { fs, events, ...all, ...audio, ...nir, ...quantize, ...node, ...kernels };
for (const [name, code] of Object.entries(HELPERS)) whole[name] = evaluate(code);
Object.assign(names, whole);

names.wavFile = audio.writeWav({ sampleRate: 8000, channels: [new Float32Array(9), new Float32Array(9)] });
reply({});

/** A file to read, as calls of cases cannot wait for one. It is written for the first case that asks: the library takes a while to load. */
async function provideFile(c: Case): Promise<void> {
  if (names.nirFile !== undefined || !JSON.stringify(c).includes("nirFile")) return;
  names.nirFile = await nir.writeNIR(evaluate(GRAPHS[0]) as nir.NIRGraph);
}

/** Runs a call, and tells what came of it and what comes `next`. */
async function attempt(c: Case, next: Reply): Promise<void> {
  await provideFile(c);
  const { outcome, findings, isDamaged } = await run(c);
  const told = { target: c.target, outcome, findings };
  reply(isDamaged ? told : { ...told, ...next });
  if (isDamaged) process.exit(DAMAGED);
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request;
  Object.assign(names, whole, BROKEN[request.broken ?? ""]?.put(all));
  if ("case" in request) {
    await attempt(request.case, { done: true });
    continue;
  }
  const end = request.seed + request.count;
  reply({ begin: request.seed });
  for (let seed = request.seed; seed < end; seed++) {
    await attempt(generate(seed, request), seed + 1 < end ? { begin: seed + 1 } : { done: true });
  }
}
