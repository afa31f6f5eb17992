/** Programs and libraries that a machine may lack. */
import { existsSync } from "node:fs";

/**
 * Whether these files exist. If one is missing, a line names `what` as skipped, and the packages of Debian that have the files; in CI,
 * where .ci/run installs those, it is an error.
 */
export function isThere(what, files, packages) {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length === 0) return true;
  const reason = `expected ${missing.join(" and ")}, found nothing; install it (Debian: apt-get install ${packages})`;
  if (process.env.CI) throw new Error(`${what}: ${reason}`);
  console.error(`${what}: skipped, ${reason}`);
  return false;
}
