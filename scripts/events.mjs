/**
 * Memory while a long recording is read piece by piece: writes a file of EVT 3.0 or AEDAT 4 by the package's writer, reads it with
 * `readEventChunks` in a separate process, and prints the peak memory of this process.
 *
 *   npm run build && node scripts/events.mjs                   2 GB of each format, in the folder for temporary files
 *   node scripts/events.mjs --megabytes 200 --format aedat4    less, of one format
 */
import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readEventChunks, writeEvents } from "jarvis-snn/events";

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "2000" },
    format: { type: "string", multiple: true, default: ["evt3", "aedat4"] },
    read: { type: "string" },
  },
});

/** Events that are written together. */
const TOGETHER = 1_000_000;
/**
 * Bytes before the first event: up to the last word with the high bits of its time, before which the writer counts up from zero, or the
 * first line and the flatbuffer of the header.
 */
const HEADERS = {
  evt3: (file) => {
    let at = Buffer.from(file.buffer, 0, 200).indexOf("% end\n") + 6;
    while (file[at + 3] >> 4 === 8) at += 2;
    return at;
  },
  aedat4: (file) => 18 + new DataView(file.buffer).getUint32(14, true),
};

/** Writes a recording of at least `bytes` bytes: a header, then a million events at a time. Returns the number of events. */
function write(path, format, bytes) {
  const handle = openSync(path, "w");
  const random = (i) => Math.imul(i, 0x9e3779b1) >>> 0;
  const column = (array, at) => array.map((_, i) => at(random(i)));
  const t = column(new Float64Array(TOGETHER), () => 0);
  const recording = {
    t,
    x: column(new Uint16Array(TOGETHER), (r) => r % 1280),
    y: column(new Uint16Array(TOGETHER), (r) => (r >>> 11) % 720),
    p: column(new Uint8Array(TOGETHER), (r) => r >>> 31),
    width: 1280,
    height: 720,
  };
  let events = 0;
  for (let written = 0; written < bytes; ) {
    // The times of EVT 3.0 wrap around every 2²⁴ µs: each million of events continues from the time of the previous one.
    const first = events / 10;
    for (let i = 0; i < TOGETHER; i++) t[i] = (first % 2 ** 24) + Math.floor(i / 10);
    if (format === "aedat4") for (let i = 0; i < TOGETHER; i++) t[i] += first - (first % 2 ** 24);
    const file = writeEvents(recording, format);
    written += writeSync(handle, file, events === 0 ? 0 : HEADERS[format](file));
    events += TOGETHER;
  }
  return events;
}

async function read(path) {
  let events = 0;
  for await (const part of readEventChunks(createReadStream(path))) events += part.t.length;
  return { events, peak: process.resourceUsage().maxRSS / 1000 };
}

if (values.read !== undefined) console.log(JSON.stringify(await read(values.read)));
else {
  const folder = mkdtempSync(join(tmpdir(), "jarvis-snn-events-"));
  try {
    for (const format of values.format) {
      const path = join(folder, `recording.${format}`);
      const events = write(path, format, 1e6 * Number(values.megabytes));
      const { size } = statSync(path);
      const start = performance.now();
      const child = execFileSync(process.execPath, [fileURLToPath(import.meta.url), "--read", path], {
        encoding: "utf8",
      });
      const seconds = (performance.now() - start) / 1000;
      const found = JSON.parse(child);
      if (found.events !== events) throw new Error(`events: expected ${events} events, got ${found.events}`);
      const of = `${(size / 1e9).toFixed(2)} GB of ${format}, ${events} events`;
      console.log(
        `${of}: at most ${found.peak.toFixed(0)} MB of memory, ${seconds.toFixed(1)} s with the start of Node`,
      );
      rmSync(path);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
