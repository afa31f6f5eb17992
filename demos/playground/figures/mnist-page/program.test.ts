import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { digitsFile } from "../../digits.ts";
import { LIGHT } from "../../draw/palette.ts";
import { SvgPen } from "../../draw/pen.ts";
import { Course, type Digit, type News, resultOf, tenOf, timeOf } from "./model.ts";
import { poster } from "./poster.ts";
import { train } from "./program.ts";

const lesson = readFileSync(new URL("../../../../docs/lessons/5-mnist-in-a-page.md", import.meta.url), "utf8");

/** The training of the program in Node, on the digits that the page loads. */
async function trainHere(): Promise<{ course: Course; ten: Digit[] }> {
  const file = Uint8Array.from(digitsFile()).buffer;
  const course = new Course();
  await train(file, {
    tell: (kind, news) => course.note({ kind, ...news } as News),
    awake: async () => {},
    signal: new AbortController().signal,
  });
  return { course, ten: tenOf(file) };
}

test("the program of the lesson is the one that the page runs, of at most 60 lines", () => {
  const program = readFileSync(new URL("program.ts", import.meta.url), "utf8");
  expect(lesson).toContain(`\n\`\`\`ts train.ts\n${program}\`\`\`\n`);
  expect(program.trimEnd().split("\n").length).toBeLessThanOrEqual(60);
});

test("the program recognises more than 85 % of 500 new digits, as the lesson prints it", async () => {
  const { course, ten } = await trainHere();
  const { losses, accuracies, answers } = course;
  expect(losses).toHaveLength(course.batches);
  expect(new Course().batches, "the axis of the picture before a press").toBe(course.batches);
  expect(accuracies.map(({ batch }) => batch)).toEqual(accuracies.map((_, i) => (i + 1) * 60));
  expect(accuracies.at(-1)?.accuracy).toBeGreaterThan(0.85);
  expect(ten.filter(({ label }, i) => label === answers?.[i]).length).toBeGreaterThan(7);
  const lines = accuracies.map(({ batch, accuracy }, i) => {
    const loss = losses.slice(batch - 60, batch).reduce((sum, value) => sum + value / 60, 0);
    return `epoch ${i + 1}: loss ${loss.toFixed(3)}, ${(100 * accuracy).toFixed(1)} % of new digits`;
  });
  const [, shown] = /^The page shows:\n\n```text\n(.*?)^```$/ms.exec(lesson) ?? [];
  expect(`${lines.join("\n")}\n`).toBe(shown);
});

test("the training waits while the page is not awake, and a signal ends it", async () => {
  const file = Uint8Array.from(digitsFile()).buffer;
  const controller = new AbortController();
  const told: string[] = [];
  let wake: () => void = () => {};
  const asleep = new Promise<void>((resolve) => (wake = resolve));
  let asked: () => void = () => {};
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const training = train(file, {
    tell: (kind) => void told.push(kind),
    awake: () => {
      asked();
      return asleep;
    },
    signal: controller.signal,
  });
  await isAsked;
  await new Promise((resolve) => setImmediate(resolve));
  expect(told.filter((kind) => kind === "batch")).toHaveLength(60);
  expect(told).not.toContain("epoch");
  controller.abort(new Error("enough"));
  wake();
  await expect(training).rejects.toThrow("enough");
  expect(told.filter((kind) => kind === "epoch")).toHaveLength(1);
});

test("the ten digits are the first of the test, and sentences tell time and result", async () => {
  const ten = tenOf(Uint8Array.from(digitsFile()).buffer);
  expect(ten.map(({ label }) => label)).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  expect(ten.every(({ image }) => image.length === 196 && Math.max(...image) <= 1)).toBe(true);
  const progress = {
    epoch: 2,
    epochs: 10,
    batch: 3,
    batches: 60,
    loss: 1,
    lr: 0.002,
    seconds: 1.24,
    secondsLeft: 31.6,
  };
  expect(timeOf(progress)).toBe("epoch 2 of 10 · 1.2 s passed · 32 s left");
  const { course } = { course: await heard([{ kind: "epoch", epoch: 1, loss: 1, validation: 0.5, seconds: 1 }]) };
  expect(resultOf(course, ten)).toBe(
    "50.0\u202f% of the 500 test digits are recognised after epoch 1, 10 of the ten in the picture.",
  );

  async function heard(news: Omit<Extract<News, { kind: "epoch" }>, "answers">[]) {
    const course = new Course();
    for (const each of news) course.note({ ...each, answers: Float32Array.from(ten, ({ label }) => label) });
    return course;
  }
});

test("before a press the picture has neither a curve nor an answer", () => {
  const pen = new SvgPen();
  poster.paint(pen, 720, poster.heightFor(720), LIGHT);
  const picture = pen.document(720, poster.heightFor(720), LIGHT.paper);
  expect(picture.match(/>\?</g)).toHaveLength(10);
  expect(picture).not.toMatch(/[✓✗]|\d\.\d %|<circle/);
});
