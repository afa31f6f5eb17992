/**
 * Mechanisms that exist for speed alone. Each has edits of sources that leave it out; the edited package computes the same bits.
 * `--without` builds the package once for each, so that no source of the package knows of this.
 */

/** A passage of a source, which is there once, and what stands there without the mechanism. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mechanism {
  readonly what: string;
  /** The steps that it may change: of all others it is known that they never reach it. */
  readonly steps: RegExp;
  readonly edits: readonly Edit[];
}

const PRODUCTS = "engine/forms/products.ts";
const GATHER = "kernels/gather.ts";
const LIF = "kernels/lif.ts";
/** Gradients in short forms that neurons read. */
const READS = 'reads: { gradient: ["repeats", "product"] }';
const NEURONS = "snn/neuron/run.ts";

const ALL = /./;
const CONVOLUTIONS = /^(conv|sew|csnn|seed\d+-conv)/;
const INFERENCE = /^(image|stream)$/;
const WITHOUT_MODELS = /^(?!models)/;

export const MECHANISMS: Readonly<Record<string, Mechanism>> = {
  gather: {
    what: "products add up the rows of non-zeros",
    steps: WITHOUT_MODELS,
    edits: [
      {
        file: PRODUCTS,
        from: "const dense = !masks && count * (panels + half) >= density * panels * x.size;",
        to: "const dense = !masks;",
      },
    ],
  },
  masks: {
    what: "spikes are masks for four outputs or fewer",
    steps: /^(toy|small)$/,
    edits: [
      {
        file: PRODUCTS,
        from: "const masks = spikes && outputs <= MASKED.outputs && rows >= MASKED.rows && count >= enough;",
        to: "const masks = false;",
      },
    ],
  },
  product: {
    what: "gradients stay two factors",
    steps: WITHOUT_MODELS,
    edits: [{ file: NEURONS, from: READS, to: 'reads: { gradient: ["repeats"] }' }],
  },
  repeats: {
    what: "a gradient that is the same in all steps is stored once",
    steps: ALL,
    edits: [{ file: NEURONS, from: READS, to: 'reads: { gradient: ["product"] }' }],
  },
  places: {
    what: "max pools give gradients as values and places",
    steps: CONVOLUTIONS,
    edits: [
      {
        file: "engine/ops/conv.ts",
        from: 'reads: { a: ["bits"], gradient: ["places"] },',
        to: 'reads: { a: ["bits"] },',
      },
    ],
  },
  pooledBits: {
    what: "max pools of spikes give spikes",
    steps: /^(csnn|sew)$/,
    edits: [{ file: "engine/ops/pool.ts", from: "lifts: 3, keepsBits }", to: "lifts: 3, keepsBits: () => false }" }],
  },
  followed: {
    what: "convolutions take the non-zeros of images alone",
    steps: CONVOLUTIONS,
    edits: [
      { file: "engine/ops/events.ts", from: "if (!inReference()) g.path = pathOf(x, g);", to: 'g.path = "dense";' },
    ],
  },
  windows: {
    what: "spikes of windows are rows of bits",
    steps: CONVOLUTIONS,
    edits: [
      {
        file: "engine/ops/events.ts",
        from: 'return count >= WINDOWED * x.size && fitsWords(down, across) ? "windows" : "events";',
        to: 'return "events";',
      },
    ],
  },
  taps: {
    what: "of gradients of maps the non-zeros are listed",
    steps: CONVOLUTIONS,
    edits: [
      {
        file: "kernels/conv-back.ts",
        from: "const listed = <f64>listNonZeros(lists, values, m, filters) < limit * <f64>m * <f64>filters;",
        to: "const listed = false;",
      },
    ],
  },
  columns: {
    what: "products of few rows keep a transposed copy of weights",
    steps: INFERENCE,
    edits: [
      {
        file: PRODUCTS,
        from: "const columns = product.turned && rows <= FEW_ROWS && !isRecorded(x, w, bias) ? columnsOf(w) : 0;",
        to: "const columns: number = 0;",
      },
    ],
  },
  row: {
    what: "a single row is multiplied by weights where they lie",
    steps: INFERENCE,
    edits: [
      {
        file: "kernels/matmul.ts",
        from: "if (!gathered && m == 1 && n >= 8 && k >= 4 && (bCol == 1 || (bRow == 1 && aCol == 1))) {",
        to: "if (false) {",
      },
    ],
  },
  rows: {
    what: "few events add rows where they lie, without panels",
    steps: WITHOUT_MODELS,
    edits: [
      {
        file: GATHER,
        from: "const wide = bCol == 1 && wholeGroups(cRow) <= bRow && (m == 1 || count < SHARED * k);",
        to: "const wide = false;",
      },
    ],
  },
  fewPlaces: {
    what: "lists of rare spikes skip bytes of zeros",
    steps: WITHOUT_MODELS,
    edits: [
      {
        file: "kernels/starts.ts",
        from: "return <f64>count < 32 * <f64>m * (FEW * <f64>words - 1);",
        to: "return false;",
      },
    ],
  },
  twoRows: {
    what: "sums of twelve columns or fewer take two rows in turns",
    steps: WITHOUT_MODELS,
    edits: [
      {
        file: GATHER,
        from: "    } else if (columns <= 4) twoSums4(spare, list, end, otherEnd, panel, unit);\n",
        to: "    }",
      },
      {
        file: GATHER,
        from: "    else if (columns <= 12) twoSums12(spare, list, end, otherEnd, panel, unit);\n",
        to: "",
      },
    ],
  },
  fewNeurons: {
    what: "LIF of 16 neurons or fewer keep their state in registers",
    steps: INFERENCE,
    edits: [
      {
        file: LIF,
        from: "const isSmall = size <= 16 && current != 0 && way != NEVER && !isPart;",
        to: "const isSmall = false;",
      },
    ],
  },
  twoSteps: {
    what: "LIF of many neurons take two steps of a piece in turns",
    steps: WITHOUT_MODELS,
    edits: [
      { file: LIF, from: "return size > MANY ? 2 : 1;", to: "return 1;" },
      { file: LIF, from: "return size > MANY ? min(n, COLUMNS) : n;", to: "return n;" },
    ],
  },
  short: {
    what: "gradients of LIF that come from spikes alone have a loop of their own",
    steps: WITHOUT_MODELS,
    edits: [
      {
        file: "kernels/lif-back.ts",
        from: "const isShort = !areOthers && (word(descriptor, layout.dSum) | word(descriptor, layout.dFrom)) == 0;",
        to: "const isShort = false;",
      },
    ],
  },
};

/** The source without a mechanism, as far as this edit goes. */
export function edited(source: string, { file, from, to }: Edit): string {
  const parts = source.split(from);
  if (parts.length === 2) return parts.join(to);
  throw new RangeError(`without: expected ${file} to have this once, got it ${parts.length - 1} times: ${from}`);
}
