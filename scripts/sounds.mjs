/** The chart of docs/audio.md. */
import { arange, Generator, noGrad, where } from "jarvis-snn";
import { gammatone, hairCells, levelCrossings, speech2Spikes } from "jarvis-snn/audio";
import { rasterPlot } from "jarvis-snn/plot";

const RATE = 16000;

/** A tone that rises from 200 to 3000 Hz in 0.6 s, between two pauses of 0.1 s. */
const sweep = () => {
  const t = arange(0, 0.8 * RATE)
    .div(RATE)
    .sub(0.1);
  const turns = t.mul(200).add(t.square().mul((3000 - 200) / 1.2));
  // Whole turns do not count: the argument of the sine stays small.
  const tone = turns
    .sub(turns.floor())
    .mul(2 * Math.PI)
    .sin()
    .mul(0.3);
  return where(t.ge(0).mul(t.lt(0.6)), tone, 0);
};

export async function soundCharts() {
  const x = noGrad(sweep);
  const motion = gammatone(x, { channels: 48, fMin: 100, fMax: 4000 });
  const samplesPerStep = RATE / 200;
  // A raster is of a batch.
  const spikes = {
    "levelCrossings of filters, ON and OFF": levelCrossings(motion, { samplesPerStep }),
    "hairCells of filters": hairCells(motion, { samplesPerStep, generator: new Generator(1) }),
    "speech2Spikes, ON and OFF": speech2Spikes(x),
  };
  const batches = Object.entries(spikes).map(([name, s]) => [name, s.unsqueeze(1)]);
  const title = "A tone that rises from 200 to 3000 Hz, as spikes";
  return { "audio-ways.svg": await rasterPlot(new Map(batches), { title, dtMs: 5 }) };
}
