/** npm run demo -- pays: two spiking networks of the site beside dense networks of the same accuracy, by energy and by time. */
import { penDigits } from "../playground/figures/digit/pen-digits.ts";
import { bar, begin, end, line, text } from "../report.ts";
import { microseconds, type Outcome, outcomeOf } from "./measure.ts";
import { type Case, digitCase, trainCase } from "./networks.ts";

const flags = begin("pays", {
  epochs: { kind: "integer", default: 10, min: 1, help: "passes over the digits" },
  limit: { kind: "integer", default: 0, min: 0, help: "digits to learn from, 0 for all" },
  tested: { kind: "integer", default: 0, min: 0, help: "digits to test on, 0 for all" },
  passes: { kind: "integer", default: 40, min: 1, help: "passes over the moons" },
  seeds: { kind: "integer", default: 5, min: 1, help: "trainings of each network" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of the first training; the others follow" },
});

const seeds = Array.from({ length: flags.seeds }, (_, i) => flags.seed + i);
const moons = await report(trainCase(flags.passes));
const digits = await report(digitCase(penDigits("train", flags.limit), penDigits("t10k", flags.tested), flags.epochs));
text([moons, digits].map(({ sentences }) => sentences).join("\n"));
end({ figure: digits.share });

/** Trains the networks of a case, prints a line for each, and compares the first two. */
async function report({ name, bound, networks }: Case): Promise<{ share: number; sentences: string }> {
  const draw = bar(name, networks.length * seeds.length);
  const outcomes: Outcome[] = [];
  let done = 0;
  for (const network of networks) outcomes.push(await outcomeOf(network, seeds, () => draw(++done)));
  const times = microseconds(outcomes.map(({ last }) => last));
  for (const [i, { name: network, ...outcome }] of outcomes.entries()) {
    const { macs, acs, updates, biases } = outcome.operations;
    line({
      ...{ case: name, network: JSON.stringify(network), parameters: outcome.parameters },
      test_acc: outcome.accuracy.toFixed(4),
      of_seeds: JSON.stringify(outcome.accuracies.map((accuracy) => accuracy.toFixed(4)).join(" ")),
      ...{ macs: Math.round(macs), acs: Math.round(acs), updates: Math.round(updates), biases: Math.round(biases) },
      nJ: outcome.nJ.toFixed(2),
      ...(outcome.spikes ? {} : { nJ_without_zeros: outcome.nJSkipping.toFixed(2) }),
      cpu_us: (times[i] as number).toFixed(1),
    });
  }
  const [spiking, opponent] = outcomes as [Outcome, Outcome];
  const share = spiking.nJ / opponent.nJ;
  return { share, sentences: sentencesOf(name, bound, share, spiking, opponent, times as [number, number]) };
}

function sentencesOf(
  name: string,
  bound: number,
  share: number,
  spiking: Outcome,
  opponent: Outcome,
  [own, dense]: readonly [number, number],
): string {
  const points = 100 * (spiking.accuracy - opponent.accuracy);
  const verdict = share <= bound ? "pays" : "does not pay";
  const slower =
    own > dense ? `${(own / dense).toFixed(1)} times as long as` : `${(own / dense).toFixed(2)} of the time of`;
  return (
    `${name}: ${share.toFixed(2)} of the energy of a dense pass, ${verdict} (bound ${bound}); accuracy ${points.toFixed(2)} points apart. ` +
    `If the dense network skipped zeros: ${(spiking.nJ / opponent.nJSkipping).toFixed(2)} of its energy. ` +
    `On this CPU one sample takes ${slower} a dense pass.`
  );
}
