/** Programs that end while threads run: threads neither keep the process alive nor change its exit code. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-exit-"));
const bundle = join(folder, "program.mjs");

/** Programs by name. Each has four threads that have run a network once. */
const PROGRAMS = {
  "ends with threads that sleep": "",
  "ends with threads that spin": "poolNow().run(kernel(), 4, () => [at, 4, 1]);",
  "sets an exit code": "process.exitCode = 5;",
  "exits in the part of the main thread": `
    poolNow().run(endless(), 4, (part) => {
      if (part === 0) { untilTaken(0); process.exit(7); }
      return [part === 1 ? 1 : 0];
    });`,
  "exits while it waits for a thread": `
    const thread = poolNow().threads[0];
    thread.hasEnded = () => process.exit(8);
    poolNow().run(endless(), 4, (part) => {
      if (part === 0) untilTaken(0);
      return [part === 1 ? 1 : 0];
    });`,
  throws: `throw new Error("of the program");`,
  "exits while threads start":
    "void threads(3); await new Promise((resolve) => setTimeout(resolve, 1)); process.exit(9);",
  "has a worker that ends": `
    await workerOf(poolNow().threads[0]).terminate();
    await new Promise((resolve) => setTimeout(resolve));
    try {
      trained();
    } catch (error) {
      console.log(error.message);
    }
    trained();`,
};

type Name = keyof typeof PROGRAMS;

const SOURCE = `
  import { wasmHeap } from "./engine/core/memory.ts";
  import { coreKernels as kernels } from "./engine/core/wasm.ts";
  import { threads } from "./engine/threads/index.ts";
  import { start } from "./engine/threads/start.ts";
  import { ALL, endless, poolNow, trained, untilTaken, workerOf } from "./test/support/threads.ts";
  const kernel = () => kernels.fill;
  const at = wasmHeap.allocate(16);
  const programs = {
    ${Object.entries(PROGRAMS).map(([name, text]) => `${JSON.stringify(name)}: async () => { ${text} }`)}
  };
  await start(4, ALL);
  trained();
  await programs[process.argv[2]]();
`;

/** Exit code and output of a program that runs with these flags of Node. */
function ended(name: Name, flags: string[] = []): Promise<{ code: number | null; out: string; error: string }> {
  const child = spawn(process.execPath, [...flags, bundle, name], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 300_000,
  });
  let [out, error] = ["", ""];
  child.stdout.on("data", (data) => {
    out += data;
  });
  child.stderr.on("data", (data) => {
    error += data;
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, error })));
}

beforeAll(async () => {
  const stdin = { contents: SOURCE, resolveDir: root, loader: "ts" } as const;
  // package.json names the built files that have side effects, not their sources.
  await build({ stdin, bundle: true, format: "esm", platform: "node", outfile: bundle, ignoreAnnotations: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each<[Name, number]>([
  ["ends with threads that sleep", 0],
  ["ends with threads that spin", 0],
  ["sets an exit code", 5],
  ["exits in the part of the main thread", 7],
  ["exits while it waits for a thread", 8],
  ["exits while threads start", 9],
])("threads: a program that %s, with code %i", async (name, expected) => {
  expect(await ended(name)).toEqual({ code: expected, out: "", error: "" });
});

test("threads: a program that throws shows its error", async () => {
  const { code, error } = await ended("throws");
  expect(code).toBe(1);
  expect(error).toContain("Error: of the program");
});

test("threads: a worker that ends does not end the process, and the next op says so", async () => {
  const { code, out, error } = await ended("has a worker that ends");
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toMatch(/threads: thread 1 is gone: its worker has ended with exit code 1; one thread goes on/);
});

/** The permission model has lost its first name on the way. */
const PERMISSION = ["--permission", "--experimental-permission"].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
) as string;

test("threads: where a permission model forbids workers, the error says how to allow them", async () => {
  const flags = [PERMISSION, "--allow-fs-read=*"];
  const { code, error } = await ended("ends with threads that sleep", flags);
  expect(code).toBe(1);
  expect(error).toMatch(
    /^Error: threads: a worker did not start: Error: Access to this API has been restricted.*needs --allow-worker$/m,
  );
  expect(await ended("ends with threads that sleep", [...flags, "--allow-worker"])).toMatchObject({ code: 0, out: "" });
});
