/** The program of lesson 5. A turn is an epoch: the training asks behind each one whether it may go on, and waits for the next turn. */
import type { News } from "../../mnist-page/model.ts";
import { train } from "../../mnist-page/program.ts";
import type { Send, Turns } from "../protocol.ts";

export interface MnistParameters {
  /** The bytes of digits.bin. */
  readonly file: ArrayBuffer;
}

export type MnistMessage = News | { readonly kind: "end" };

export async function* run({ file }: MnistParameters, send: Send<MnistMessage>): Turns {
  const controller = new AbortController();
  let wake: () => void = () => {};
  let ask: () => void = () => {};
  const nextQuestion = (): Promise<"asked"> =>
    new Promise((resolve) => {
      ask = () => resolve("asked");
    });
  let question = nextQuestion();
  const training = train(file, {
    tell: (kind, news) => send({ kind, ...news } as News),
    awake: () =>
      new Promise((resolve) => {
        wake = resolve;
        ask();
      }),
    signal: controller.signal,
  });
  try {
    while ((await Promise.race([question, training])) === "asked") {
      question = nextQuestion();
      yield 0;
      wake();
    }
    send({ kind: "end" });
  } finally {
    controller.abort();
    wake();
    // After a stop nobody hears of the end.
    await training.catch(() => {});
  }
}
