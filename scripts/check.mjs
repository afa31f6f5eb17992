/** npm run check: all that a change has to pass. One build, then the steps side by side; every step is an npm script that also runs alone. */
import { runSteps } from "./steps.mjs";

const npm = (name, options) => ({ name, command: `npm run --silent ${name}`, ...options });

/**
 * Types and lint come first, as they fail soonest, and recipes need the types that are built; then the longest, so that none of them is
 * alone at the end. Those that use all processors come last: vitest has a worker for each, and the playground's tests measure time.
 */
const STEPS = [
  npm("build", { isFirst: true }),
  ...["types", "lint", "test:site", "test:package", "test:recipes", "test:engines", "docs", "unused", "size"].map(
    (name) => npm(name),
  ),
  ...["test", "test:debug", "test:playground"].map((name) => npm(name, { isAlone: true })),
];

if (!(await runSteps(STEPS))) process.exitCode = 1;
