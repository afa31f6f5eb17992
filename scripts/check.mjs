/** npm run check: all that a change has to pass. One build, then the steps side by side; every step is an npm script that also runs alone. */
import { runSteps } from "./steps.mjs";

const npm = (name, options) => ({ name, command: `npm run --silent ${name}`, ...options });

/** vitest has workers for all processors; pages that are timed go first where others run beside them. */
const STEPS = [
  npm("types"),
  ...["lint", "docs", "unused", "size"].map((name) => npm(name)),
  npm("test", { isAlone: true }),
  npm("test:debug", { isAlone: true }),
  npm("test:playground"),
  npm("test:package", { isPatient: true }),
  npm("test:engines", { isPatient: true }),
];

if (!((await runSteps([npm("build")])) && (await runSteps(STEPS)))) process.exitCode = 1;
