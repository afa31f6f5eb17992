/** Programs that scripts and tests start: each ends in bounded time, with all that it has started, and none outlives this process. */
import { spawn } from "node:child_process";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const running = new Set();

// A signal would end this process without its "exit".
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
process.once("exit", () => {
  for (const kill of running) kill();
});

/** How long the children of a program may outlive it. */
const END_MS = 10_000;

/**
 * Starts a program as the leader of a process group, which `signal` ends. The result:
 *
 * - `output()`, `log()`: the text that it has printed, to stdout and to stderr.
 * - `during(work, wanted, ms)`: the value of `work(over)`; an Error with the log if the program ends before, or if
 *   `ms` pass. The AbortSignal `over` is aborted in any case.
 * - `finished(ms)`: the text that it has printed when it has ended, with exit code 0.
 * - `end()`: ends the group, and resolves once its pipes are closed.
 */
export function start(command, args, { env = process.env, signal = "SIGKILL" } = {}) {
  const child = spawn(command, args, { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    child[name].setEncoding("utf8").on("data", (part) => {
      text[name] += part;
    });
  }
  function kill() {
    try {
      process.kill(process.platform === "win32" ? child.pid : -child.pid, signal);
    } catch {
      // The group has ended, or the command was not found.
    }
  }
  running.add(kill);
  // "close" is emitted when the children that share the pipes have ended too, and no longer write files.
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, by) => resolve(code ?? by));
  });
  ended.then(() => running.delete(kill));
  const fail = (wanted, got) => {
    throw new Error(`${basename(command)}: expected ${wanted}, got ${got}\n${text.stderr}`);
  };
  async function during(work, wanted, ms) {
    const over = new AbortController();
    const late = sleep(ms, `nothing for ${ms / 1000} s`, { ref: false });
    const early = ended.then((reason) => `the end of the program, ${reason}`);
    try {
      return await Promise.race([work(over.signal), Promise.race([early, late]).then((got) => fail(wanted, got))]);
    } finally {
      over.abort();
    }
  }
  return {
    during,
    output: () => text.stdout,
    log: () => text.stderr,
    async finished(ms) {
      const reason = await during(() => ended, "its end", ms);
      return reason === 0 ? text.stdout : fail("exit code 0", reason);
    },
    async end() {
      kill();
      await Promise.race([ended, sleep(END_MS, null, { ref: false })]);
    },
  };
}

/** Reads until there is something, or until the AbortSignal `over` is aborted. */
export async function poll(read, over) {
  for (;;) {
    const got = await read();
    if (got) return got;
    await sleep(50, null, { signal: over });
  }
}
