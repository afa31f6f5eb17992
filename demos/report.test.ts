/** The output of demos: on a terminal, in lines that programs read, and as one JSON object. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../test/support/demo.ts";
import { withStdout, wordsOf } from "../test/support/terminal.ts";
import { DEMOS, type DemoName } from "./list.ts";
import { pageOf } from "./pictures.ts";

let folder = "";
/** The folder of pictures, in the place of the folder below build/. */
const pictures = () => join(folder, "pictures");
vi.mock("./folders.ts", () => ({
  get PICTURES() {
    return pictures();
  },
}));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "report-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** All that a demo prints, and all that it writes to the terminal beside that, on a terminal or elsewhere. */
async function run(
  name: string,
  args: readonly string[],
  isTTY: boolean,
  columns = 300,
): Promise<{ log: string; drawn: string }> {
  vi.stubEnv("NO_COLOR", "1");
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    const lines = await withStdout({ isTTY, columns }, () => runDemo(name, ...args));
    return { log: lines.join("\n"), drawn: write.mock.calls.map(([text]) => text).join("") };
  } finally {
    write.mockRestore();
  }
}

/** Short runs of demos of every kind: classifiers, memory, rules, attractors, tables and sheets. */
const SHORT: readonly (readonly [
  DemoName,
  readonly string[],
  { lines: RegExp; bar: string; drawn: readonly string[] },
])[] = [
  [
    "toy",
    ["--epochs=2", "--hidden=8"],
    {
      lines: /^epoch=1 loss=\S+ test_acc=\S+ train_s=\S+$/m,
      bar: "epoch 1/2",
      drawn: ["loss over", "spikes of the hidden"],
    },
  ],
  [
    "mnist",
    ["--limit=300", "--timesteps=2", "--hidden=8"],
    {
      lines: /^epoch=1 loss=\S+ test_acc_spike_count=\S+ test_acc_membrane=/m,
      bar: "epoch ",
      drawn: ["ten output neurons"],
    },
  ],
  [
    "evidence",
    ["--iterations=20", "--batch-size=2", "--test=2", "--regular=2", "--adaptive=2"],
    {
      lines: /^rule=bptt accuracy_trained=\S+ accuracy_unseen=/m,
      bar: "iterations ",
      drawn: ["error over", "in a trial"],
    },
  ],
  ["reward", ["--trials=4"], { lines: /^right_before=\S+ right_after=/m, bar: "trials ", drawn: ["ten neurons"] }],
  [
    "ring",
    ["--neurons=16", "--starts=2", "--delay=200"],
    { lines: /^drift_mean=\S+ drift_max=/m, bar: "windows ", drawn: ["a second cue moves"] },
  ],
  [
    "pairing",
    ["--pairs=2"],
    { lines: /^rule="pairs, all" deviation_from_measured=/m, bar: "pairing ", drawn: ["change by"] },
  ],
];

describe.each(SHORT)("%s %j", (name, args, { lines, bar, drawn }) => {
  const { title, source, figure, beside, next } = DEMOS[name];

  test("on a terminal it begins with its words and ends with the figure, its neighbours, the picture and the next runs", async () => {
    const terminal = await run(name, args, true);
    const first = terminal.log.split("\n\n")[0]?.replaceAll("\n", " ");
    expect(first).toContain(`${name}: ${title} ${source} Good: ${figure.name} `);
    expect(terminal.drawn).toContain(`\r\x1b[2K${bar}`);
    expect(terminal.drawn.endsWith("\r\x1b[2K")).toBe(true);
    for (const part of drawn) expect(terminal.log).toContain(part);
    const end = terminal.log.slice(terminal.log.lastIndexOf(`${figure.name}: `));
    expect(end).toMatch(/: -?[\d.e-]+, (not )?as good as/);
    expect(end).toContain("this run");
    for (const [value, of] of beside)
      expect(end).toMatch(new RegExp(`^ +${value} .*${of.replace(/[()]/g, ".")}$`, "m"));
    for (const [command, why] of next) expect(end).toContain(`npm run demo -- ${command}   ${why}`);
    const picture = `${pictures()}/${name}.svg`;
    expect(end).toContain(`picture  ${picture}, listed by ${pictures()}/index.html`);
    expect(readFileSync(picture, "utf8")).toMatch(/^<svg/);
    expect(readFileSync(join(pictures(), "index.html"), "utf8")).toContain(`src="${name}.svg"`);
    expect(terminal.log).not.toMatch(/NaN|undefined/);
  });

  test("on a terminal of 60 or 80 columns no line is longer, and no word is broken", async () => {
    const wide = await run(name, args, true);
    for (const columns of [60, 80]) {
      const narrow = await run(name, args, true, columns);
      for (const text of narrow.log.split("\n")) expect(text.length, text).toBeLessThanOrEqual(columns);
      expect(wordsOf(narrow.log)).toEqual(wordsOf(wide.log));
    }
  });

  test("elsewhere it prints lines of key=value alone, and draws nothing", async () => {
    const { log, drawn: written } = await run(name, args, false);
    expect(log).toMatch(lines);
    expect(log).not.toContain(title);
    expect(written).toBe("");
    expect(existsSync(pictures())).toBe(false);
  });

  test("with --json it prints one object, with the figure and the same results", async () => {
    const { log } = await run(name, [...args, "--json"], true);
    const { demo, flags, results, figure: reached } = JSON.parse(log);
    expect(demo).toBe(name);
    expect(flags.seed).toBe(0);
    expect(reached).toEqual({ name: figure.name, value: expect.any(Number), good: expect.any(Boolean) });
    const keys = Object.keys(Object.assign({}, ...results));
    for (const [, key = ""] of (lines.source.match(/[a-z_]+(?==)/g) ?? []).map((key) => ["", key]))
      expect(keys).toContain(key);
    expect(existsSync(pictures())).toBe(false);
  });
});

test("words: every demo has a figure, others beside it and a next run of a demo that there is", () => {
  for (const [name, { source, beside, next }] of Object.entries(DEMOS)) {
    expect(source, name).toMatch(/\.$/);
    expect(beside.length, name).toBeGreaterThan(0);
    expect(next.length, name).toBeGreaterThan(0);
    for (const [command] of next) expect(Object.keys(DEMOS), command).toContain(command.split(" ")[0]);
  }
});

test("pictures: the page lists those that are there, in the order of the demos", () => {
  const page = pageOf(["ring.svg", "toy.svg", "other.svg"]);
  expect([...page.matchAll(/<img src="([^"]+)"/g)].map(([, file]) => file)).toEqual(["toy.svg", "ring.svg"]);
  expect(page).toContain(DEMOS.ring.title);
});
