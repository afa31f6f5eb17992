/** The training of the program in Node, on the digits that the page loads. */
import { digitsFile } from "../../digits.ts";
import { Course, type Digit, type News, tenOf } from "./model.ts";
import { train } from "./program.ts";

export async function trainHere(): Promise<{ course: Course; ten: Digit[] }> {
  const file = Uint8Array.from(digitsFile()).buffer;
  const course = new Course();
  await train(file, {
    tell: (kind, news) => course.note({ kind, ...news } as News),
    awake: async () => {},
    signal: new AbortController().signal,
  });
  return { course, ten: tenOf(file) };
}
