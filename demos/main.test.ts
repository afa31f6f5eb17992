/** The runner of the demos: what it lists, what it runs and what it refuses. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withStdout } from "../test/support/terminal.ts";
import { DEMOS, GROUPS, type Words } from "./list.ts";

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
  for (const spy of [log, error]) spy.mockClear(); // of an earlier run
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
  for (const [name, { title, seconds }] of Object.entries(DEMOS)) {
    const end = `${seconds} s  ${title}`;
    expect(lines.filter((line) => line.trim().startsWith(`${name} `) && line.endsWith(end)).length).toBe(1);
  }
});

const page = () => readFileSync(fileURLToPath(new URL("../docs/demos.md", import.meta.url)), "utf8");

test("docs/demos.md: the groups of demos are those of the list", () => {
  const listed = [...page().matchAll(/^- \*\*(.+?)\*\*:((?:.|\n {2})+)/gm)].map(([, group, text = ""]) => [
    group,
    [...text.matchAll(/\[([\w -]+)\]\(#/g)].flatMap(([, names = ""]) => names.split(" and ")),
  ]);
  expect(listed).toEqual(Object.entries(GROUPS).map(([group, demos]) => [group, Object.keys(demos)]));
});

test("docs/demos.md: times, the figures of a good run and the means beside them stand in the table of the page", () => {
  const rows = [...page().matchAll(/^\| `npm run demo -- ([^`]+)` +\|(.+)\|$/gm)].map(
    ([, command = "", cells = ""]) => ({
      command,
      cells: cells.split("|").map((cell) => cell.trim()),
    }),
  );
  const absent: string[] = [];
  const named: string[] = [];
  const numberOf = (cell = "") => Number(cell.replace("°", ""));
  for (const [name, { seconds, beside }] of Object.entries<Words>(DEMOS)) {
    const own = rows.filter(({ command, cells }) => command.split(" ")[0] === name && cells.length === 7);
    const plain = own.find(({ command }) => command === name);
    if (beside.some(([, of]) => of.includes("mean of the seeds"))) named.push(name);
    if (plain === undefined) {
      absent.push(name);
      continue;
    }
    expect(`${seconds} s`, name).toBe(plain.cells[6]);
    const means = own.map(({ cells }) => numberOf(cells[3]));
    const ofMore = own.map(({ cells }) => numberOf(cells[5]?.split(",")[0]?.split(": ")[1]));
    const ours = beside.filter(([, of]) => /mean of the seeds 0, 1 and 2$|^mean of the seeds 0 … 9$/.test(of));
    for (const [value] of ours.filter(([, of]) => !/epoch,|budget|quarter/.test(of))) {
      expect([...means, ...ofMore], `${name}: ${value}`).toContain(value);
    }
  }
  // A demo without a mean of seeds needs no row.
  expect(absent.filter((name) => named.includes(name))).toEqual([]);
  expect(named.length).toBeGreaterThan(10);
});

test("demos: a mistyped name gets the one that was meant, with its flags", async () => {
  const { error } = await run("mnits", "--epochs=2");
  expect(error).toContain("got mnits; did you mean npm run demo -- mnist --epochs=2?");
});

test("demos: an unknown name is refused with the list, and the process fails", async () => {
  const { error } = await run("convolution");
  expect(error).toContain("got convolution");
  expect(error).toContain(DEMOS.conv.title);
  expect(process.exitCode).toBe(2);
});

test.each(Object.keys(DEMOS) as (keyof typeof DEMOS)[])(
  "demos: %s reads the flags behind its name, and its help has the title of the list",
  async (name) => {
    const { log, failure } = await run(name, "--help");
    expect(failure).toEqual(new Error("exit 0"));
    expect(log.split("\n")[0]).toBe(DEMOS[name].title);
    expect(log).toMatch(/^ {2}--seed N/m);
    vi.resetModules();
    const narrow = (await withStdout({ isTTY: true, columns: 60 }, () => run(name, "--help"))).log;
    for (const text of narrow.split("\n")) expect(text.length, text).toBeLessThanOrEqual(60);
    expect(narrow.split(/\s+/)).toEqual(log.split(/\s+/));
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
