/** Functions of recordings of event cameras. */
import type * as events from "../../../../snn/events/index.ts";
import { bool, choice, either, list, listOf, must, num, oneOf, spare } from "../kinds.ts";
import { generator } from "../objects.ts";
import type { Rows } from "../typed.ts";

const recorded = oneOf(
  [
    "{ t: Float64Array.of(1, 20), x: Uint16Array.of(0, 1), y: Uint16Array.of(1, 0), p: Uint8Array.of(0, 1), width: 2, height: 2 }",
    "{ t: Float64Array.of(), x: Uint16Array.of(), y: Uint16Array.of(), p: Uint8Array.of(), width: 3, height: 4 }",
  ],
  ["object"],
);

/** One way to cut a recording, with what goes with it. */
const sliced = {
  timeWindow: must(num(10, 25)),
  eventCount: spare(num(1, 2)),
  nTimeBins: spare(num(1, 3)),
  nEventBins: spare(num(1, 2)),
  overlap: num(0, 5),
  includeIncomplete: bool,
  startTime: num(0, 2),
  endTime: num(30, 60),
};

const framed = { ...sliced, polarities: num(1, 2) };

/** Recordings of event cameras. Their readers give promises; test/fuzz/events.ts gives them damaged files. */
export const EVENTS: Omit<Rows<typeof events>, "readEvents" | "readEventChunks" | "readSHD"> = {
  crop: [recorded, { targetSize: must(list(1, 2)), at: either(choice("center", "random"), list(0, 0)), generator }],
  denoise: [recorded, { filterTime: num(0, 10, 1e4) }],
  downsample: [recorded, { spatialFactor: either(num(0.5, 1), list(0.5, 1)), timeFactor: num(0.5, 3) }],
  dropEvents: [recorded, { probability: must(num(0, 0.5, 1)), generator }],
  dropEventsByArea: [recorded, { areaRatio: num(0, 0.5), generator }],
  dropEventsByTime: [recorded, { durationRatio: num(0, 0.5), generator }],
  dropPixels: [
    recorded,
    {
      coordinates: spare(listOf(list(0, 1))),
      hotPixelFrequency: must(num(0, 10)),
      probability: spare(num(0, 0.5)),
      generator,
    },
  ],
  eventsFromFrames: [
    oneOf(["rand([3, 2, 2])", "zeros([3, 1, 4])"]),
    list(0, 100, 250),
    {
      onThreshold: num(0.2, 1),
      offThreshold: num(0.2, 1),
      mismatch: num(0, 0.1),
      refractoryPeriod: num(0, 50),
      leakRate: num(0, 10),
      shotNoiseRate: num(0, 10),
      logOffset: num(0.01, 0.1),
      generator,
    },
  ],
  flip: [recorded, { axis: must(choice("x", "y", "polarity", "time")), probability: num(0, 0.5, 1), generator }],
  jitter: [recorded, { time: num(0, 10), x: num(0, 1), y: num(0, 1), generator }],
  mergePolarities: [recorded],
  refractoryPeriod: [recorded, { refractoryPeriod: must(num(0, 10)) }],
  toAveragedTimesurface: [
    recorded,
    { cellSize: num(5, 6), surfaceSize: num(1, 3), timeWindow: num(100), tau: num(10), decay: choice("exp", "lin") },
  ],
  toBinaryRepresentation: [oneOf(["rand([8, 1, 2, 2])"]), { nFrames: num(1), nBits: num(8) }],
  toFrames: [either(recorded, listOf(recorded)), framed],
  toSpikes: [either(recorded, listOf(recorded)), framed],
  toTimesurface: [recorded, { dt: must(num(10, 20)), tau: must(num(5)), includeIncomplete: bool }],
  toVoxelGrid: [recorded, { nTimeBins: num(1, 3), signed: bool }],
  uniformNoise: [recorded, { n: must(num(0, 3)), generator }],
  writeEvents: [recorded, choice("evt3", "aedat4", "npz")],
};
