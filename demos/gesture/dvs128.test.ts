/** Tests of the reader of DVS128 Gesture, with a folder in the form of the data set, whose recordings are put together byte by byte. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ascii, concat, type Event, HEADER_31, packet31 } from "../../test/support/events.ts";
import { DVS128_GESTURES, dvs128, type Part } from "./dvs128.ts";

const OPTIONS = { side: 32, binUs: 1000, bins: 4 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gesture-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);

/** A recording of these packets and its labels. */
function putTrial(name: string, packets: readonly Uint8Array[], labels: string, header = HEADER_31): void {
  put(`${name}.aedat`, concat(ascii(header), ...packets));
  put(`${name}_labels.csv`, labels);
}

const csv = (...rows: readonly (readonly [number, number, number])[]) =>
  ["class,startTime_usec,endTime_usec", ...rows.map((row) => row.join(","))].join("\n");

/** Events of a set as [t, x, y, p], a list for each gesture. */
async function read(part: Part, options = OPTIONS) {
  const { recordings, dropped } = await dvs128(folder, part, { ...options, cache: join(folder, "cache") });
  const events = Array.from({ length: recordings.length }, (_, i) => {
    const { t, x, y, p } = recordings.get(i);
    return Array.from(t, (time, k) => [time, x[k], y[k], p[k]]);
  });
  return { events, labels: recordings.labels, dropped };
}

const before: Event[] = [[4_999_999, 1, 1, 1]];
const first: Event[] = [
  [5_000_000, 0, 127, 1],
  [5_000_400, 5, 9, 0],
  [5_003_999, 126, 4, 1],
];
const between: Event[] = [[5_010_000, 1, 1, 1]];
const second: Event[] = [
  [5_020_000, 64, 64, 0],
  [5_022_500, 127, 127, 1],
];

test("labels cut a file into gestures, each from its start time on and before its end time, in one file after the other", async () => {
  const labels = csv([1, 5_000_000, 5_010_000], [11, 5_020_000, 5_022_500]);
  putTrial("user01_fluorescent", [packet31([...before, ...first]), packet31([...between, ...second])], labels);
  putTrial("user02_led", [packet31([[70, 9, 10, 0]])], csv([6, 60, 1000]));
  putTrial("user24_lab", [packet31([[3, 4, 8, 1]])], csv([3, 0, 4]));
  put("trials_to_train.txt", "user01_fluorescent.aedat\r\nuser02_led.aedat\r\n\r\n");
  put("trials_to_test.txt", "user24_lab.aedat\n");
  expect(await read("train")).toEqual({
    events: [
      [
        [0, 0, 31, 1],
        [400, 1, 2, 0],
        [3999, 31, 1, 1],
      ],
      [[0, 16, 16, 0]],
      [[10, 2, 2, 0]],
    ],
    labels: [0, 10, 5],
    dropped: 0,
  });
  expect(await read("test")).toEqual({ events: [[[3, 1, 2, 1]]], labels: [2], dropped: 0 });
});

test("the first event of each slice and pixel of the smaller camera stays, and no event behind the last slice", async () => {
  const events: Event[] = [
    [100, 0, 0, 1],
    [200, 3, 3, 1],
    [300, 3, 3, 0],
    [400, 4, 3, 1],
    [1000, 1, 2, 1],
    [1999, 0, 0, 1],
    [4000, 0, 0, 1],
  ];
  putTrial("user01_led", [packet31(events)], csv([2, 0, 10_000]));
  put("trials_to_train.txt", "user01_led.aedat");
  const { events: found } = await read("train");
  expect(found).toEqual([
    [
      [100, 0, 0, 1],
      [300, 0, 0, 0],
      [400, 1, 0, 1],
      [1000, 0, 0, 1],
    ],
  ]);
  const whole = await read("train", { side: 128, binUs: 1, bins: 5000 });
  expect(whole.events).toEqual([events]);
});

test("times beyond 31 bits count the overflows of their packets", async () => {
  const packet = packet31([[50, 8, 8, 1]], { overflow: 1 });
  putTrial("user01_led", [packet], csv([4, 2 ** 31, 2 ** 31 + 100]));
  put("trials_to_train.txt", "user01_led.aedat");
  expect((await read("train")).events).toEqual([[[50, 2, 2, 1]]]);
});

test("damaged events and packets of a recording are counted", async () => {
  const packets = [packet31(first), Uint8Array.of(250, 251, 252), packet31(second)];
  putTrial("user01_led", packets, csv([1, 5_000_000, 6_000_000]));
  put("trials_to_train.txt", "user01_led.aedat");
  const { dropped, events } = await read("train", { ...OPTIONS, bins: 100 });
  expect([dropped, events[0]?.length]).toEqual([1, 5]);
});

test("the gestures of files are read once, and again with other labels, slices or files", async () => {
  const path = join(folder, "user01_led.aedat");
  const putEvents = (events: readonly Event[], gesture = 1) => {
    putTrial("user01_led", [packet31(events)], csv([gesture, 5_000_000, 5_010_000]));
    utimesSync(path, 1000, 1000);
  };
  putEvents(first);
  put("trials_to_train.txt", "user01_led.aedat");
  const fresh = await read("train");
  expect(fresh).toMatchObject({ labels: [0], dropped: 0 });
  // Other bytes of the same size and time.
  putEvents(first.map(([t, x, y, p]) => [t + 1, x, y, p]));
  expect(await read("train")).toEqual({ ...fresh, dropped: null });
  const later = await read("train", { ...OPTIONS, binUs: 2000 });
  expect(later.events[0]?.[0]).toEqual([1, 0, 31, 1]);
  putEvents(first, 3);
  expect(await read("train")).toEqual({ ...fresh, labels: [2] });
  putEvents([...first, ...between]);
  expect((await read("train")).dropped).toBe(0);
});

test("a folder named by a relative and by an absolute path has one cache", async () => {
  putTrial("user01_led", [packet31(first)], csv([1, 5_000_000, 5_010_000]));
  put("trials_to_train.txt", "user01_led.aedat");
  const cache = join(folder, "cache");
  const dropped = [];
  for (const path of [folder, relative(process.cwd(), folder)]) {
    dropped.push((await dvs128(path, "train", { ...OPTIONS, cache })).dropped);
  }
  expect(dropped).toEqual([0, null]);
});

test("the number of damaged events is known where all files were read in this run", async () => {
  const labels = Array.from({ length: 2001 }, (_, i) => [1, 5_000_000 + i, 5_000_001 + i] as const);
  putTrial("user01_led", [packet31(first), Uint8Array.of(250, 251, 252)], csv(...labels));
  put("trials_to_train.txt", "user01_led.aedat");
  const cache = join(folder, "cache");
  const fresh = await read("train");
  expect(fresh.dropped).toBe(1);
  // Files of 2000 and of one gesture.
  rmSync(join(cache, "dvs128-train-2000-2001.safetensors"));
  expect(await read("train")).toEqual({ ...fresh, dropped: null });
});

test("a missing file, labels of another form, another camera and a set without gestures are errors that name the file", async () => {
  await expect(read("train")).rejects.toThrow(/trials_to_train\.txt: expected a file .* got none/);
  put("trials_to_train.txt", "user01_led.aedat\n");
  await expect(read("train")).rejects.toThrow(/user01_led_labels\.csv: expected a file .* got none/);
  put("user01_led_labels.csv", csv([1, 0, 1]));
  await expect(read("train")).rejects.toThrow(/user01_led\.aedat: expected a file .* got none/);
  for (const row of ["12,0,5", "0,0,5", "1,5,0", "1,5", "1,,5", "1,0,5,7", "1,a,5", "1.5,0,5"]) {
    putTrial("user01_led", [packet31(first)], `${csv()}\n${row}\n`);
    await expect(read("train")).rejects.toThrow(`expected a class from 1 to 11 and two times in order, got ${row}`);
  }
  putTrial("user01_led", [packet31(first)], "class,start,end\n1,0,5\n");
  await expect(read("train")).rejects.toThrow("expected the header class,startTime_usec,endTime_usec, got class,start");
  putTrial("user01_led", [packet31(first)], csv([1, 0, 1]), HEADER_31.replace("DVS128", "DAVIS240C"));
  await expect(read("train")).rejects.toThrow(
    `${join(folder, "user01_led.aedat")}: expected a camera of 128 × 128 pixels, got 240 × 180`,
  );
  putTrial("user01_led", [packet31(first)], csv());
  await expect(read("train")).rejects.toThrow("expected gestures, got none");
});

test.each([
  ["is empty", "", '""'],
  ["is a pointer of git-lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 4\n", '"version http"'],
  ["is AEDAT 2", "#!AER-DAT2.0\r\n# 8 bytes an event\r\n", '"#!AER-DAT2.0"'],
])("a file that %s is an error with its path and its begin", async (_, content, begin) => {
  put("user01_led.aedat", content);
  put("user01_led_labels.csv", csv([1, 0, 1]));
  put("trials_to_train.txt", "user01_led.aedat\n");
  const path = join(folder, "user01_led.aedat");
  await expect(read("train")).rejects.toThrow(`${path}: expected a file that begins with #!AER-DAT3.1, got ${begin}`);
});

test("the camera is that of the data set where the header names none that is known", async () => {
  const start = "#Start-Time: 2016-09-15 14:32:10 (TZ+0200)";
  const header = (source: string) =>
    `#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: ${source}\r\n${start}\r\n#!END-HEADER\r\n`;
  put("trials_to_train.txt", "user01_led.aedat\n");
  for (const source of ["DVS128", "Camera"]) {
    putTrial("user01_led", [packet31([[3, 4, 8, 1]])], csv([3, 0, 4]), header(source));
    expect(await read("train")).toEqual({ events: [[[3, 1, 2, 1]]], labels: [2], dropped: 0 });
  }
});

test("validation is the last fifth of the users, whatever the order of their files, and the rest is all others", async () => {
  const names = ["user03_lab", "user01_led", "user03_led", "user06_led", "user02_led", "user04_led", "user05_led"];
  for (const name of names) putTrial(name, [packet31([[0, 0, 0, 1]])], csv([Number(name.slice(4, 6)), 0, 1]));
  const list = (chosen: readonly string[]) => chosen.map((name) => `${name}.aedat`).join("\n");
  put("trials_to_train.txt", list(names));
  expect((await read("validation")).labels).toEqual([5, 4]);
  expect((await read("rest")).labels).toEqual([2, 0, 2, 1, 3]);
  expect((await read("train")).labels).toEqual([2, 0, 2, 5, 1, 3, 4]);
  put("trials_to_train.txt", list(["user03_lab", "user03_led"]));
  await expect(read("validation")).rejects.toThrow(
    `${join(folder, "trials_to_train.txt")}: expected two users or more to hold one out, got 1`,
  );
});

test("the eleven classes have the numbers of the data set", () => {
  expect(Object.fromEntries(DVS128_GESTURES.map((name, i) => [i + 1, name]))).toEqual({
    1: "hand clapping",
    2: "right hand wave",
    3: "left hand wave",
    4: "right arm clockwise",
    5: "right arm counter-clockwise",
    6: "left arm clockwise",
    7: "left arm counter-clockwise",
    8: "arm roll",
    9: "air drums",
    10: "air guitar",
    11: "other gestures",
  });
});
