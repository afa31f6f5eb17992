/** IDX files, the format of MNIST: the bytes with their shape, or an error with the name of the file. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readIdx } from "./node.ts";

const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-idx-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: number[]): string {
  const path = join(folder, name);
  writeFileSync(path, Uint8Array.from(bytes));
  return path;
}

test("readIdx: images and labels with their shapes", () => {
  const images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255];
  expect(readIdx(file("images", images))).toEqual({ shape: [2, 1, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) });
  const labels = [0, 0, 8, 1, 0, 0, 0, 2, 7, 9];
  expect(readIdx(file("labels", labels))).toEqual({ shape: [2], data: Uint8Array.of(7, 9) });
});

test("readIdx: a size of more than a byte is big-endian", () => {
  const { shape, data } = readIdx(file("long", [0, 0, 8, 1, 0, 0, 1, 4, ...new Array(260).fill(5)]));
  expect(shape).toEqual([260]);
  expect(data.length).toBe(260);
});

test("readIdx: what is no IDX file of bytes, or does not fit its header, is a RangeError that names the file", () => {
  const wrong: [name: string, bytes: number[], message: string][] = [
    ["empty", [], "expected an IDX file of unsigned bytes"],
    ["gzip", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "that starts with [31, 139, 8, 0]"],
    ["floats", [0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0], "that starts with [0, 0, 13, 1]"],
    ["scalar", [0, 0, 8, 0], "expected an IDX file of unsigned bytes"],
    ["header", [0, 0, 8, 2, 0, 0, 0, 1], "expected an IDX file of unsigned bytes"],
    ["short", [0, 0, 8, 1, 0, 0, 0, 3, 1, 2], "expected 3 bytes of data"],
    ["surplus", [0, 0, 8, 1, 0, 0, 0, 1, 1, 2], "expected 1 bytes of data"],
  ];
  for (const [name, bytes, message] of wrong) {
    const path = file(name, bytes);
    expect(() => readIdx(path), name).toThrow(RangeError);
    expect(() => readIdx(path), name).toThrow(message);
    expect(() => readIdx(path), name).toThrow(path);
  }
  expect(() => readIdx(join(folder, "missing"))).toThrow(/ENOENT/);
});

test("readIdx: the data have a buffer of their own, also those of a small file", () => {
  const { data } = readIdx(file("small", [0, 0, 8, 1, 0, 0, 0, 2, 7, 9]));
  expect(data.constructor).toBe(Uint8Array);
  expect(data.buffer.byteLength).toBe(10);
});

test("readIdx: from a pipe, whose length nobody knows", async () => {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const images = file("piped", [0, 0, 8, 2, 0, 0, 0, 1, 0, 1, 0, 0, ...new Array(65_536).fill(3)]);
  const writer = spawn("sh", ["-c", 'cat "$0" > "$1"', images, path]);
  expect(readIdx(path).shape).toEqual([1, 65_536]);
  await new Promise((resolve) => writer.on("close", resolve));
});

test("readIdx: what is no path, or the path of something else than a file, is an error with the value", () => {
  for (const [path, shown] of [
    [0, "0"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [new URL("file:///a"), "URL"],
  ] as const) {
    expect(() => readIdx(path as never)).toThrow(new TypeError(`readIdx: expected the path of a file, got ${shown}`));
  }
  for (const path of ["", "a/", "a\0"]) {
    const message = `readIdx: expected the path of a file, got ${JSON.stringify(path)}`;
    expect(() => readIdx(path)).toThrow(new RangeError(message));
  }
  expect(() => readIdx(folder)).toThrow(new RangeError(`readIdx: expected a file at ${folder}, got a directory`));
  symlinkSync("/dev/zero", join(folder, "endless"));
  expect(() => readIdx(join(folder, "endless"))).toThrow(/^readIdx: expected a file at .*endless, got a device$/);
});
