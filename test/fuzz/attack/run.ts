/** Runs one call in its setting and says what must not be. */
import { gradcheck, manualSeed, noGrad, ones, type Tensor, tape } from "../../../engine/index.ts";
import { type Case, FAULTS, type Finding, type Setting } from "./code.ts";
import { Trial } from "./trial.ts";

export async function run(c: Case): Promise<Trial> {
  manualSeed(0);
  const trial = new Trial(c);
  await IN[c.setting](trial);
  trial.aftermath();
  const order = ({ kind }: Finding): number => FAULTS.indexOf(kind);
  trial.findings.sort((x, y) => order(x) - order(y));
  return trial;
}

const IN: { readonly [Name in Setting]: (trial: Trial) => void | Promise<void> } = {
  root: (trial) => outside(trial, () => trial.call()),
  polluted: (trial) =>
    outside(trial, () => {
      Object.defineProperty(Object.prototype, "polluted", { value: 1, enumerable: true, configurable: true });
      trial.call();
      Reflect.deleteProperty(Object.prototype, "polluted");
    }),
  tape: (trial) => quiet(trial, () => tape(() => inside(trial))),
  noGrad: (trial) => quiet(trial, () => noGrad(() => inside(trial))),
  failing: (trial) => quiet(trial, () => tape(() => failing(trial))),
  gradcheck: (trial) => {
    const input = ones([1]);
    quiet(trial, () => gradcheck((x) => once(trial).mul(x), [input]));
    trial.use();
    input.dispose();
  },
};

async function outside(trial: Trial, call: () => void): Promise<void> {
  if (!trial.prepare()) return;
  call();
  await trial.settled();
  trial.inspect();
  trial.release();
}

function inside(trial: Trial): void {
  look(trial);
  trial.release();
}

function look(trial: Trial): void {
  if (!trial.prepare()) return;
  trial.call();
  trial.inspect();
}

/** Nothing is released: all of it goes with the tape. */
function failing(trial: Trial): never {
  look(trial);
  throw new Error("attack: the tape fails");
}

/** Of the runs of `gradcheck` the first. */
function once(trial: Trial): Tensor {
  if (trial.outcome === "unmade") look(trial);
  return ones([]);
}

/** What the setting throws is none of the call's business where it says what it is. */
function quiet(trial: Trial, fn: () => void): void {
  try {
    fn();
  } catch (error) {
    trial.judge(error, "around it: ");
  }
}
