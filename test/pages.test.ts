/** Bytes of a page of the web: what a server sends for a wrong address, and a program then hands to a reader. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Linear, loadSafetensors, readSafetensors, SGD } from "jarvis-snn";
import { readWav } from "jarvis-snn/audio";
import { readEventChunks, readEvents, readSHD } from "jarvis-snn/events";
import { readNIR } from "jarvis-snn/nir";
import { resumeCheckpoint } from "jarvis-snn/node";
import { expect, test } from "vitest";

const PAGE = new TextEncoder().encode(
  "<!doctype html>\n<html>\n<head><title>404 Not Found</title></head>\n<body><h1>Not Found</h1></body>\n</html>\n".repeat(
    9,
  ),
);

/** Reads a checkpoint from a file with these bytes. */
function resume(bytes: Uint8Array): void {
  const folder = mkdtempSync(join(tmpdir(), "pages-"));
  try {
    const path = join(folder, "run.safetensors");
    writeFileSync(path, bytes);
    const model = new Linear(1, 1);
    resumeCheckpoint(path, { model, optimizer: new SGD(model.parameters(), { lr: 1 }) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const READERS: readonly [name: string, expected: string, read: (bytes: Uint8Array) => unknown][] = [
  ["loadSafetensors", "a safetensors file", loadSafetensors],
  ["readSafetensors", "a safetensors file", readSafetensors],
  ["resumeCheckpoint", "a safetensors file", resume],
  ["readWav", "a WAV file", (bytes) => readWav(bytes)],
  ["readNIR", "an HDF5 file", (bytes) => readNIR(bytes)],
  ["readSHD", "an HDF5 file", (bytes) => readSHD(bytes)],
  ["readEvents", "a recording", (bytes) => readEvents(bytes)],
  ["readEvents", "a recording", (bytes) => readEvents(bytes, { format: "evt3", recover: true })],
  ["readEvents", "a recording", (bytes) => readEvents(bytes, { format: "hdf5" })],
  ["readEventChunks", "a recording", (bytes) => readEventChunks([bytes]).next()],
];

async function messageOf(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Promise<string> {
  try {
    await read(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return (error as Error).message;
  }
  throw new Error("expected an error, got none");
}

test.each(READERS)("pages: %s, which expects %s, says that these bytes are a page", async (name, expected, read) => {
  const message = await messageOf(read, PAGE);
  expect(message.startsWith(name)).toBe(true);
  expect(message).toContain(
    `: expected ${expected}, got a page, whose bytes begin with “<!doctype html”; is the address right?`,
  );
});

test("pages: whatever stands before the first tag, and other texts of tags", async () => {
  const begins = {
    "\n  <HTML lang='en'>": "<HTML lang",
    "\uFEFF<!DOCTYPE html>": "<!DOCTYPE html",
    "<?xml version='1.0'?><Error/>": "<?xml vers",
    "<!-- moved --><p>": "<!-- move",
  };
  for (const [text, tag] of Object.entries(begins)) {
    const message = await messageOf(loadSafetensors, new TextEncoder().encode(text.padEnd(200)));
    expect(message).toContain(`got a page, whose bytes begin with “${tag}”`);
  }
});

test("pages: other bytes are refused as before", async () => {
  const text = new TextEncoder().encode("404: Not Found. ".repeat(20));
  expect(await messageOf(loadSafetensors, text)).toMatch(
    /^loadSafetensors: expected a header of at most 312 bytes, got/,
  );
  expect(await messageOf(readWav, text)).toBe('readWav: expected "RIFF" at byte 0, got "404:"');
  expect(await messageOf(readNIR, text)).toBe("readNIR: expected an HDF5 file at byte 0, got no signature of one");
});
