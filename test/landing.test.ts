/** The first page of the site: its numbers are those of the pages that they come from. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** The first column of the table of numbers. */
const numbers = [...read("docs/landing.md").matchAll(/^\| ([\d.]+\s?(?:×|kB|))\s*\| /gm)].map(([, number]) =>
  (number as string).trim().replace("\u00a0", " "),
);

test("landing: the numbers are those of the package, of its benchmarks and of its conformance", () => {
  const { dependencies = {} } = JSON.parse(read("package.json")) as { dependencies?: object };
  const budgets = JSON.parse(read("scripts/budgets.json")) as Record<string, { bytes: number }>;
  const benchmarks = read("docs/benchmarks.md");
  const measured = (row: string, peer: string): string | undefined =>
    new RegExp(`^\\| \\w+ +\\| ${row} +\\| ${peer} +\\|[^|]*\\|[^|]*\\| ([^|]*?) +\\|`, "m").exec(benchmarks)?.[1];
  expect(numbers).toEqual([
    String(Object.keys(dependencies).length),
    `${((budgets["a training program"]?.bytes as number) / 1000).toFixed(1)} kB`,
    measured("tutorial-5 inference, B 1", "PyTorch, best eager"),
    measured("tutorial-5 step: 784-1000-10, T 25, B 128, MNIST", "the faster PyTorch"),
    String(read("docs/conformance.md").match(/^\| `.*\| yes +\|/gm)?.length),
    "1",
  ]);
});

test("landing: each number has a command of npm or of the package beside it", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const commands = [...read("docs/landing.md").matchAll(/^\| [\d.].*\| `([^`]+)` +\|$/gm)].map(
    ([, command]) => command,
  );
  expect(commands).toHaveLength(6);
  const own = commands.filter((command) => command !== "npm ls --omit=dev").map((command) => command?.split(" ")[2]);
  expect(own).toHaveLength(5);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(own));
});
