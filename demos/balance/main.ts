/** npm run demo -- balance: a policy learns to balance a pole that is kicked, and stops when it can. */
import { createHash } from "node:crypto";
import { Generator } from "jarvis-snn/core";
import { DT } from "../cartpole/environment.ts";
import { testGenerator, testReturns } from "../cartpole/policy.ts";
import { bar, begin, end, line } from "../report.ts";
import { Learner, SETTINGS, survivors } from "./balance.ts";

const flags = begin("balance", {
  updates: {
    kind: "integer",
    default: 0,
    min: 0,
    max: SETTINGS.updates,
    help: "updates of the policy; 0 learns until the rule of the figure stops it",
  },
  kick: { kind: "number", default: 0.7, help: "kick of the test, in rad/s" },
  episodes: { kind: "integer", default: 100, min: 1, help: "test episodes" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, actions, first states and kicks" },
});

/** Updates of a printed line. */
const EACH = 20;
/** Poles that are kicked, by the same draws for each seed. */
const RUNS = 20;
const KICK_SEED = 5;

const start = process.cpuUsage();
const seconds = (): string => {
  const { user, system } = process.cpuUsage(start);
  return ((user + system) / 1e6).toFixed(1);
};
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const learner = new Learner(flags.seed);
const draws = bar("updates", flags.updates || SETTINGS.updates);
const returns: number[] = [];
const isLearned = (): boolean => (flags.updates === 0 ? learner.isDone : learner.updates === flags.updates);
while (!isLearned()) {
  returns.push(...learner.next().returns);
  draws(learner.updates);
  if (learner.updates % EACH !== 0 && !isLearned()) continue;
  const lasted = (DT * meanOf(returns.slice(-RUNS))).toFixed(2);
  line({ updates: learner.updates, tries: returns.length, last_tries_s: lasted, cpu_s: seconds() });
}
const learned = seconds();
const tested = testReturns(learner.actor, flags.episodes, testGenerator(flags.seed));
const hash = createHash("sha256");
for (const p of learner.actor.parameters()) hash.update(new Uint8Array(p.toFloat32Array().buffer));
line({
  mean_return: meanOf(tested).toFixed(2),
  worst: Math.min(...tested),
  survive_kick: survivors(learner.actor, flags.kick, RUNS, new Generator(KICK_SEED)).toFixed(2),
  learning_cpu_s: learned,
  hash: hash.digest("hex"),
});
end({ figure: meanOf(tested), curve: { name: "steps that each try lasted", values: returns } });
