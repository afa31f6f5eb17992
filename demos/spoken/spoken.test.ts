/** Tests of spoken digits: voices and sets, sound and spikes, files of SHD, the learning of small networks, and the program's output. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { arange, manualSeed, noGrad, readSafetensors } from "jarvis-snn";
import type { EventRecording } from "jarvis-snn/events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { lineOf } from "../report.ts";
import { trainClassifier } from "../training.ts";
import { heidelberg, moved, type SpokenSet, synthesised } from "./data.ts";
import { SpokenNetwork } from "./network.ts";
import { voicesLine } from "./report.ts";
import { DIGITS, SAMPLE_RATE, Speaker, VARIANTS } from "./speech.ts";
import { CHANNELS, hear, OPTIONS, WAYS, type WayName } from "./spikes.ts";
import { ACCENTS, TEST_VOICES, TRAINING_VOICES, VALIDATION_VOICES } from "./voices.ts";

const SHD = fileURLToPath(new URL("../../test/fixtures/spoken", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "spoken-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const voicesOf = ({ voices }: SpokenSet): string[] => [...new Set(voices)];

describe("voices", () => {
  test("no voice is in two sets", () => {
    const all = [...TRAINING_VOICES, ...VALIDATION_VOICES, ...TEST_VOICES];
    expect(new Set(all).size).toBe(all.length);
    expect([TRAINING_VOICES.length, VALIDATION_VOICES.length, TEST_VOICES.length]).toEqual([55, 9, 12]);
  });

  test("voices of two sets have first three formants more than 2 % apart, and other names", async () => {
    const { default: load } = await import("@echogarden/espeak-ng-emscripten");
    const { FS } = await load();
    const formantsOf = (voice: string): number[] => {
      const text = FS.readFile(`${VARIANTS}/${voice}`, { encoding: "utf8" });
      return [1, 2, 3].map((n) => Number(new RegExp(`^\\s*formant\\s+${n}\\s+(\\d+)`, "m").exec(text)?.[1] ?? 100));
    };
    expect(formantsOf("f1")).toEqual([120, 100, 115]);
    // f2 and m5 are numbers of voices, no names.
    const nameOf = (voice: string) => (/^[fm]\d$/.test(voice) ? voice : voice.toLowerCase().replace(/\d+$/, ""));
    const sets = [TRAINING_VOICES, VALIDATION_VOICES, TEST_VOICES].map((set) =>
      set.map((voice) => ({ voice, name: nameOf(voice), formants: formantsOf(voice) })),
    );
    for (const { formants } of sets.flat()) {
      for (const formant of formants.slice(0, 2)) {
        expect(formant).toBeGreaterThanOrEqual(70);
        expect(formant).toBeLessThanOrEqual(150);
      }
    }
    const related = sets.flatMap((set, i) =>
      set.flatMap((one) =>
        sets.slice(i + 1).flatMap((others) =>
          others.flatMap((other) => {
            const apart = Math.max(...one.formants.map((f, k) => Math.abs(f - (other.formants[k] as number))));
            return apart <= 2 || one.name === other.name ? [`${one.voice} and ${other.voice}`] : [];
          }),
        ),
      ),
    );
    expect(related).toEqual([]);
  });
});

describe("speech", () => {
  test("a voice says the digits in order, at one loudness, and the same voice and seed give the same samples", async () => {
    const say = async (voice: string, seed: number, count: number) => {
      const speaker = await Speaker.of(voice, seed);
      return Array.from({ length: count }, () => {
        const { sound, label } = speaker.next();
        const samples = sound.toFloat32Array();
        sound.dispose();
        return { samples, label };
      });
    };
    const digits = await say("f2", 3, 11);
    expect(digits.map(({ label }) => label)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    for (const { samples } of digits) {
      expect(samples.length / SAMPLE_RATE).toBeGreaterThan(0.1);
      expect(samples.length / SAMPLE_RATE).toBeLessThan(1.2);
      const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
      // Exact but for resampling, which takes what is above 8 kHz.
      expect(Math.sqrt(power)).toBeCloseTo(0.3, 2);
    }
    expect(await say("f2", 3, 2)).toEqual(digits.slice(0, 2));
    expect((await say("f2", 4, 1))[0]?.samples).not.toEqual(digits[0]?.samples);
    expect((await say("m5", 3, 1))[0]?.samples).not.toEqual(digits[0]?.samples);
  });

  test("a voice that eSpeak NG does not have is refused", async () => {
    await expect(Speaker.of("nobody", 0)).rejects.toThrow("expected a variant of eSpeak NG, got nobody");
  });
});

/** A second of a tone. */
const tone = (hz: number) =>
  noGrad(() =>
    arange(0, SAMPLE_RATE)
      .mul((2 * Math.PI * hz) / SAMPLE_RATE)
      .sin()
      .mul(0.42),
  );

/**
 * The channel with the most events; with `isSigned` OFF events count as −1, since the sum of the signed events of Speech2Spikes is a level.
 */
function loudest({ x, p }: EventRecording, isSigned: boolean): number {
  const counts = new Array<number>(CHANNELS).fill(0);
  for (const [i, c] of x.entries()) counts[c] = (counts[c] as number) + (isSigned && p[i] === 0 ? -1 : 1);
  return counts.indexOf(Math.max(...counts));
}

test.each(Object.keys(WAYS) as WayName[])("%s: events in time, of channels that rise with the pitch", (way) => {
  const [low, high] = [tone(400), tone(3000)].map((sound) => hear(sound, way, 1)) as [EventRecording, EventRecording];
  for (const { t, x, p, width, height } of [low, high]) {
    expect([width, height]).toEqual([CHANNELS, 1]);
    expect(t.length).toBeGreaterThan(20);
    expect(t.every((time, i) => time % WAYS[way].stepUs === 0 && (i === 0 || time >= (t[i - 1] as number)))).toBe(true);
    expect(t.at(-1)).toBeLessThanOrEqual(1e6);
    expect(x.every((c) => c < CHANNELS)).toBe(true);
    expect([...new Set(p)].sort()).toEqual(WAYS[way].polarities === 2 ? [0, 1] : [1]);
  }
  const isSigned = way === "speech2spikes";
  expect(loudest(high, isSigned)).toBeGreaterThan(loudest(low, isSigned) + 10);
  const again = hear(tone(400), way, 1);
  expect(again).toEqual(low);
});

describe("SHD", () => {
  test("the sets of both files, by the path of either or of the folder", async () => {
    const sets = await heidelberg(SHD);
    expect(sets).toMatchObject({ classes: 20, polarities: 1 });
    const { train, test } = sets;
    expect([train.recordings.length, test.recordings.length, train.recordings.width]).toEqual([80, 60, 700]);
    expect(voicesOf(train).sort()).toEqual(["0", "1", "2", "3"]);
    expect(voicesOf(test).sort()).toEqual(["3", "4", "5"]);
    // A class has its band of channels and its half of the time, see shd.py.
    for (const [i, label] of train.recordings.labels.entries()) {
      const { t, x } = train.recordings.get(i);
      const band = 20 + 64 * (label % 10);
      expect(x.every((c) => c >= band && c < band + 66)).toBe(true);
      expect(t.every((time) => time >= (label < 10 ? 0 : 399_000) && time <= (label < 10 ? 401_000 : 801_000))).toBe(
        true,
      );
    }
    expect((await heidelberg(join(SHD, "shd_train.h5"))).test.recordings.labels).toEqual(test.recordings.labels);
  });

  test("speakers for the choice of settings are not in the training", async () => {
    const { train, test } = await heidelberg(SHD, true);
    expect(voicesOf(train).sort()).toEqual(["0", "2", "3"]);
    expect(voicesOf(test)).toEqual(["1"]);
    expect([train.recordings.length, test.recordings.length]).toEqual([60, 20]);
  });

  test("a missing file is named", async () => {
    await expect(heidelberg(folder)).rejects.toThrow(`got no file ${join(folder, "shd_train.h5")}`);
  });

  /** The files of SHD in the folder, one of them changed as a text of the same length. */
  const changed = (name: string, change: (text: string) => string): void => {
    for (const set of ["shd_train.h5", "shd_test.h5"]) {
      const text = readFileSync(join(SHD, set), "latin1");
      if (set === name) expect(change(text)).not.toBe(text);
      writeFileSync(join(folder, set), set === name ? change(text) : text, "latin1");
    }
  };
  const withoutSpeakers = (text: string) => text.replaceAll("speaker", "speakes");

  test("a label of the test that is no class of the training is refused, with the path", async () => {
    const { labels } = (await heidelberg(SHD)).test.recordings;
    const textOf = (numbers: readonly number[]) => Buffer.from(Uint16Array.from(numbers).buffer).toString("latin1");
    changed("shd_test.h5", (text) => text.replace(textOf(labels), textOf(labels.with(9, 20))));
    await expect(heidelberg(folder)).rejects.toThrow(
      `${join(folder, "shd_test.h5")}: expected labels in [0, 20), got 20 of recording 9`,
    );
  });

  test("a damaged file is named", async () => {
    changed("shd_test.h5", (text) => text.replaceAll("units", "unitz"));
    await expect(heidelberg(folder)).rejects.toThrow(`${join(folder, "shd_test.h5")}: readSHD: expected HDF5 with`);
  });

  test("a file without speakers has no voices to measure, and none to hold out", async () => {
    changed("shd_test.h5", withoutSpeakers);
    const sets = await heidelberg(folder);
    expect([sets.train.voices.length, sets.test.voices]).toEqual([80, []]);
    expect(lineOf(voicesLine(sets, { measure: "test", durationMs: 1000 }, () => 1))).toBe(
      "train_voices=4 train=80 test=60 spikes=40 late=0.0000",
    );
    changed("shd_train.h5", withoutSpeakers);
    await expect(heidelberg(folder, true)).rejects.toThrow("expected two speakers or more to hold one out, got 0");
  });
});

test("a recording moves along the channels by no more than the shift, and loses the events that leave the row", () => {
  const n = 2 * CHANNELS;
  const events: EventRecording = {
    t: Float64Array.from({ length: n }, (_, i) => i),
    x: Uint16Array.from({ length: n }, (_, i) => i % CHANNELS),
    y: new Uint16Array(n),
    p: new Uint8Array(n).fill(1),
    width: CHANNELS,
    height: 1,
  };
  manualSeed(1);
  const ends: number[][] = [];
  for (let i = 0; i < 200; i++) {
    const { t, x, y, p } = moved(events, 0.1);
    expect([x.length, y.length, p.length]).toEqual(Array(3).fill(t.length));
    const by = Array.from(x, (c, k) => c - ((t[k] as number) % CHANNELS));
    expect(by.every((d) => Math.abs(d) <= 0.1 * CHANNELS + 0.5)).toBe(true);
    // A straight line from end to end, but for rounding.
    const [first, last] = [by[0] as number, by[t.findLastIndex((time) => time < CHANNELS)] as number];
    expect(by.every((d) => d >= Math.min(first, last) - 1 && d <= Math.max(first, last) + 1)).toBe(true);
    // Events are lost only at an end that moves outwards.
    expect(t.length).toBeGreaterThanOrEqual(n - 2 * (Math.max(0, -first) + Math.max(0, last) + 3));
    ends.push([first, last]);
  }
  const most = (end: number) => Math.max(...ends.map((each) => each[end] as number));
  const least = (end: number) => Math.min(...ends.map((each) => each[end] as number));
  expect([most(0) > 4, least(0) < -4, most(1) > 4, least(1) < -4]).toEqual([true, true, true, true]);
  expect(ends.some(([first, last]) => (first as number) * (last as number) < 0)).toBe(true);
  expect(moved(events, 0)).toEqual(events);
});

/** The decays of membranes and thresholds, by the order of the network's parameters. */
const decaysOf = (model: SpokenNetwork): Float32Array[] =>
  model.namedParameters().flatMap(([name, t]) => (/beta|rho/.test(name) ? [t.toFloat32Array()] : []));

test("a small network learns spikes in the format of SHD, and names the words of speakers that it has not heard", async () => {
  const { train, test, classes } = await heidelberg(SHD);
  const form = { bins: 20, binUs: 50_000, polarities: 1 } as const;
  const indices = test.voices.flatMap((voice, i) => (train.voices.includes(voice) ? [] : [i]));
  expect(indices.length).toBe(40);
  manualSeed(0);
  const model = new SpokenNetwork({ inputs: 700, hidden: 64, classes, binMs: 50 });
  const before = decaysOf(model);
  const history = await trainClassifier({
    model,
    train: train.recordings.spikes({ ...form, transform: (events) => moved(events, 0.02) }),
    test: test.recordings.spikes({ ...form, indices }),
    epochs: 40,
    batchSize: 16,
    lr: 1e-2,
  });
  expect(history.at(-1)?.validation).toBeGreaterThan(0.85);
  expect(before.length).toBe(2);
  for (const [i, decays] of decaysOf(model).entries()) expect(decays).not.toEqual(before[i]);
});

test("a small network learns digits of the synthesiser, which are made once", async () => {
  const options = { way: "speech2spikes", takes: 2, voices: 2, folder } as const;
  const { train, test, classes, polarities, durationMs } = await synthesised(options);
  expect([train.recordings.length, test.recordings.length, classes]).toEqual([40, 40, DIGITS.length]);
  const files = readdirSync(folder).sort();
  expect(files.length).toBe(4);
  const { metadata } = readSafetensors(readFileSync(join(folder, files[0] as string)));
  const { settings } = JSON.parse(metadata.settings as string) as { settings: string };
  expect(JSON.parse(settings)).toMatchObject({
    synthesiser: expect.stringMatching(/^\d+\.\d+\.\d+/),
    options: OPTIONS,
    digits: DIGITS,
    accents: ACCENTS,
  });
  const again = await synthesised(options);
  expect(readdirSync(folder).sort()).toEqual(files);
  expect(again.test.recordings.get(39)).toEqual(test.recordings.get(39));
  expect(voicesOf(test).some((voice) => train.voices.includes(voice))).toBe(false);

  const form = { bins: durationMs / 40, binUs: 40_000, polarities };
  manualSeed(0);
  const model = new SpokenNetwork({ inputs: polarities * CHANNELS, hidden: 48, classes, binMs: 40 });
  const history = await trainClassifier({
    model,
    train: train.recordings.spikes(form),
    test: test.recordings.spikes(form),
    epochs: 25,
    batchSize: 10,
    lr: 1e-2,
  });
  // Chance is 0.1, with a standard deviation of 0.05.
  expect(history.at(-1)?.validation).toBeGreaterThan(0.5);
});

test("voices that the training has not heard have a figure of their own, the worst voice among all, and late spikes are counted", async () => {
  const sets = await heidelberg(SHD);
  // All of speaker 4, half of 5, and a quarter of 3, who is in the training.
  const rights: Record<string, number> = { 3: 5, 4: 20, 5: 10 };
  const accuracyOf = (indices: readonly number[]) => {
    const voices = new Set(indices.map((i) => sets.test.voices[i] as string));
    return [...voices].reduce((sum, voice) => sum + (rights[voice] as number), 0) / indices.length;
  };
  const late = [sets.train, sets.test].flatMap(({ recordings }) =>
    recordings.labels.flatMap((_, i) => Array.from(recordings.get(i).t, (t) => (t >= 400_000 ? 1 : 0))),
  );
  const part = late.reduce<number>((sum, isLate) => sum + isLate, 0) / late.length;
  expect(part).toBeCloseTo(0.5, 2);
  expect(lineOf(voicesLine(sets, { measure: "test", durationMs: 400 }, accuracyOf))).toBe(
    "train_voices=4 train=80 test_voices=3 test=60 unheard=40 unheard_acc=0.7500 worst_voice=3 worst_acc=0.2500 " +
      `spikes=40 late=${part.toFixed(4)}`,
  );
  const held = await heidelberg(SHD, true);
  expect(lineOf(voicesLine(held, { measure: "validation", durationMs: 1000 }, () => 1))).toBe(
    "train_voices=3 train=60 validation_voices=1 validation=20 worst_voice=1 worst_acc=1.0000 spikes=40 late=0.0000",
  );
});

test("npm run demo -- spoken: a line an epoch, one of voices, and the picture", async () => {
  const svg = join(folder, "spoken.svg");
  const flags = [
    `--data=${SHD}`,
    "--epochs=1",
    "--duration=600",
    "--hidden=4",
    "--bin=100",
    "--batch-size=40",
    `--svg=${svg}`,
  ];
  const lines = await runDemo("spoken", ...flags);
  expect(lines[0]).toMatch(/^epoch=1 loss=\d\.\d{4} test_acc=[01]\.\d{4} train_s=\d+\.\d$/);
  expect(lines[1]).toMatch(
    /^train_voices=4 train=80 test_voices=3 test=60 unheard=40 unheard_acc=[01]\.\d{4} worst_voice=[345] worst_acc=[01]\.\d{4} spikes=40 late=0\.2\d{3}$/,
  );
  expect(lines[2]).toMatch(/^cpu_s=\d+$/);
  expect(lines[3]).toBe(`saved=${svg}`);
  expect(existsSync(svg)).toBe(true);
});

test("npm run demo -- spoken: the synthesiser speaks, and the folder of --cache keeps the spikes", async () => {
  const flags = ["--voices=1", "--takes=1", "--epochs=1", "--hidden=4", "--bin=100", `--cache=${folder}`];
  const lines = await runDemo("spoken", ...flags, "--measure=validation");
  expect(lines[0]).toMatch(/^epoch=1 loss=\d\.\d{4} validation_acc=[01]\.\d{4} train_s=\d+\.\d$/);
  expect(lines[2]).toMatch(/^cpu_s=\d+$/);
  expect(lines[1]).toMatch(/^train_voices=1 train=10 validation_voices=1 validation=10 worst_voice=Annie worst_acc=/);
  expect(readdirSync(folder).sort()).toEqual(
    ["Annie", "adam"].map((voice) => `spoken-speech2spikes-${voice}-0-10.safetensors`),
  );
});
