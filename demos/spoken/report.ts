/** Who spoke in the sets of a training, and how well the network understood them. */
import type { Fields } from "../report.ts";
import type { SpokenSet, SpokenSets } from "./data.ts";

/** Recordings to measure on, by index → the accuracy. */
export type AccuracyOf = (indices: readonly number[]) => number;

/**
 * The fields of the line behind the epochs:
 *
 *   train_voices=… train=… test_voices=… test=… worst_voice=… worst_acc=… spikes=… late=…
 *
 * Where the test has voices of the training too, `unheard=` and `unheard_acc=` are the number and the accuracy of the other recordings. Sets
 * without names of voices have no figures of them. `spikes=` are the spikes of a recording on average, `late=` is the part of them behind `durationMs`, which is left out.
 */
export function voicesLine(
  { train, test }: Pick<SpokenSets, "train" | "test">,
  { measure, durationMs }: { measure: string; durationMs: number },
  accuracyOf: AccuracyOf,
): Fields {
  const heard = new Set(train.voices);
  const voices = Array.from(new Set(test.voices));
  const saidBy = (isMeant: (voice: string) => boolean) =>
    test.voices.flatMap((voice, i) => (isMeant(voice) ? [i] : []));
  const unheard = saidBy((voice) => !heard.has(voice));
  const isMixed = unheard.length > 0 && unheard.length < test.voices.length;
  const each = voices.map((voice) => ({ voice, acc: accuracyOf(saidBy((v) => v === voice)) }));
  const [worst] = each.sort((a, b) => a.acc - b.acc);
  const { mean, late } = spikesOf([train, test], durationMs);
  return {
    ...(heard.size > 0 && { train_voices: heard.size }),
    train: train.recordings.length,
    ...(worst && { [`${measure}_voices`]: each.length }),
    [measure]: test.recordings.length,
    ...(isMixed && { unheard: unheard.length, unheard_acc: accuracyOf(unheard).toFixed(4) }),
    ...(worst && { worst_voice: worst.voice.replaceAll(" ", "_"), worst_acc: worst.acc.toFixed(4) }),
    spikes: mean.toFixed(0),
    late: late.toFixed(4),
  };
}

/** The spikes of a recording of the sets on average, and the part of all spikes that is behind a time. */
function spikesOf(sets: readonly SpokenSet[], ms: number): { mean: number; late: number } {
  let [late, all, count] = [0, 0, 0];
  for (const { recordings } of sets) {
    all += recordings.events;
    count += recordings.length;
    for (let i = 0; i < recordings.length; i++) for (const t of recordings.get(i).t) late += t >= 1000 * ms ? 1 : 0;
  }
  return { mean: all / count, late: late / Math.max(1, all) };
}
