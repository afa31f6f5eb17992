/** npm run demo -- neurons: what each neuron does with a step of current, and how its rate grows with the current, on one sheet. */
import { Generator } from "jarvis-snn";
import { firingCurvePlot, sheet, tracePlot } from "jarvis-snn/plot";
import { writeSheet } from "../drawing.ts";
import { PICTURES } from "../folders.ts";
import { bar, begin, end, line } from "../report.ts";
import { SPECIMENS } from "./catalogue.ts";
import { measure } from "./measure.ts";

const flags = begin("neurons", {
  noise: { kind: "number", default: 1e-9, help: "noise of the current, as a part of the step" },
  columns: { kind: "integer", default: 2, min: 1, help: "neurons in a row of the sheet" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of the noise" },
  save: { kind: "text", default: `${PICTURES}/neurons.svg`, help: "write the sheet there" },
});

const generator = new Generator(flags.seed);
const charts: string[] = [];
const entries = Object.entries(SPECIMENS);
let firing = 0;
const draws = bar("neurons", entries.length);
for (const [i, [name, specimen]] of entries.entries()) {
  const { membrane, spikes, count, curve, rheobase } = measure(specimen, flags.noise, generator);
  const { dtMs = 0, step, peak = Infinity } = specimen;
  const drawn = membrane.copyFrom(membrane.toFloat32Array().map((v) => Math.min(v, peak)));
  const size = { width: 440, height: 190 };
  charts.push(
    await tracePlot(drawn, { ...size, title: name, spikes, dtMs, label: dtMs > 0 ? "v (mV)" : "membrane u" }),
    await firingCurvePlot({ [name]: curve }, { ...size, dtMs }),
  );
  const top = (curve.rates.at(-1) as number) * (dtMs > 0 ? 1000 / dtMs : 1);
  const unit = dtMs > 0 ? "hz" : "per_step";
  line({
    neuron: `"${name}"`,
    step,
    spikes: count,
    fires_from: rheobase.toPrecision(3),
    [`top_rate_${unit}`]: top.toPrecision(3),
  });
  if (count > 0) firing++;
  draws(i + 1);
}
writeSheet(
  flags.save,
  sheet(charts, { columns: 2 * flags.columns, title: "Responses of neurons and their f–I curves" }),
);
end({ figure: firing });
