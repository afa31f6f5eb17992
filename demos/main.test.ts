/** The runner of the demos: what it lists, what it runs and what it refuses. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DEMOS } from "./list.ts";

beforeEach(() => vi.resetModules());
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Everything that the runner prints for these arguments; process.exit is an error that tests can see. */
async function run(...args: string[]): Promise<{ log: string; error: string; failure: unknown }> {
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...args]);
  vi.spyOn(process, "exit").mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  let failure: unknown = null;
  await import("./main.ts").catch((thrown) => {
    failure = thrown;
  });
  return { log: log.mock.calls.flat().join("\n"), error: error.mock.calls.flat().join("\n"), failure };
}

test("demos: every folder with a program is in the list, but for the page and its worker", () => {
  const here = fileURLToPath(new URL(".", import.meta.url));
  const programs = readdirSync(here).filter((name) => existsSync(`${here}${name}/main.ts`) && name !== "playground");
  expect(Object.keys(DEMOS).sort()).toEqual(programs.sort());
});

test("docs/demos.md: it tells of every demo, and its commands run one", () => {
  const text = readFileSync(fileURLToPath(new URL("../docs/demos.md", import.meta.url)), "utf8");
  const named = [...text.matchAll(/npm run demo -- ([a-z][\w-]*)/g)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(Object.keys(DEMOS)));
});

test.each([[[]], [["--help"]], [["-h"]]])("demos: %j lists each by its name, with a line of its own", async (args) => {
  const { log, failure } = await run(...args);
  expect(failure).toBe(null);
  const lines = log.split("\n");
  for (const [name, title] of Object.entries(DEMOS)) {
    expect(lines.filter((line) => line.trim().startsWith(`${name} `) && line.endsWith(title)).length).toBe(1);
  }
});

test("demos: an unknown name is refused with the list, and the process fails", async () => {
  const { error } = await run("convolution");
  expect(error).toContain("got convolution");
  expect(error).toContain(DEMOS.conv);
  expect(process.exitCode).toBe(2);
});

test.each(Object.keys(DEMOS) as (keyof typeof DEMOS)[])(
  "demos: %s reads the flags behind its name, and its help has the title of the list",
  async (name) => {
    const { log, failure } = await run(name, "--help");
    expect(failure).toEqual(new Error("exit 0"));
    expect(log.split("\n")[0]).toBe(DEMOS[name]);
    expect(log).toMatch(/^ {2}--seed N/m);
    vi.resetModules();
    const wrong = await run(name, "--seed=-1");
    expect(wrong.failure).toEqual(new Error("exit 2"));
    expect(wrong.error).toBe("--seed: expected an integer ≥ 0, got -1");
  },
);

test("demos: a folder of --data without the files of the data set is a line, and the process fails", async () => {
  const { error, failure } = await run("gesture", "--data=nowhere", "--measure=validation");
  expect(failure).toBe(null);
  expect(error).toBe(`${join("nowhere", "trials_to_train.txt")}: expected a file of the data set, got none`);
  expect(process.exitCode).toBe(2);
});
