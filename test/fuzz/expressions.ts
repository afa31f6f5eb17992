/**
 * The regular expressions of all readers of text from outside, each with the text over which it takes longest. Files and links may come
 * from anyone, so the time must grow with the length of a text, and not with its square.
 */
import { WORD } from "../../demos/playground/figures/equation/language.ts";
import { TOKEN } from "../../demos/playground/figures/equation/reader.ts";
import { blank, imageField } from "../../demos/playground/model/image.ts";

/** An expression of a reader. */
export interface Expression {
  readonly pattern: RegExp;
  /** Characters of the longest text that it meets. */
  readonly longest: number;
  /** A text of n characters over which it takes as long as over any; null where no text from outside meets it. */
  readonly worst: ((n: number) => string) | null;
}

type Worst = readonly [begin: string, again: string, end?: string];

/** An expression over text of any length. */
const any = (pattern: RegExp, ...[begin, again, end = ""]: Worst): Expression => ({
  pattern,
  longest: Infinity,
  worst: (n) => begin + again.repeat(n / again.length) + end,
});

/** An expression over text of at most `longest` characters. */
const short = (longest: number, pattern: RegExp, ...worst: Worst): Expression => ({
  ...any(pattern, ...worst),
  longest,
});

/** An expression over a line of a header of events, of which 1000 characters are read. */
const line = (pattern: RegExp, ...worst: Worst): Expression => short(1000, pattern, ...worst);

/** An expression over text that a program makes, or a part of another expression. */
const own = (pattern: RegExp): Expression => ({ pattern, longest: 0, worst: null });

/** By the file. */
export const EXPRESSIONS: Readonly<Record<string, readonly Expression[]>> = {
  "engine/arguments.ts": [
    own(/Big/),
    own(/ (Uint8Array|ArrayBuffer)]/),
    short(100, /^(?:\xef\xbb\xbf)?\s*(<(?:!doctype|html|\?xml|!--)[ \w]{0,5})/i, "", " "),
  ],
  "engine/checkpoint.ts": [
    any(/.{1,65536}/gsuy, "", "é"),
    any(/^\[[^[{]*$/, "[", "1,", "{"),
    short(80, /\s+/g, "", " "),
  ],
  "engine/json.ts": [any(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y, "-1.", "1", "e")],
  "engine/node.ts": [
    any(/^\d+$/, "", "1", "x"),
    short(255, /^([\w-]{8})\.(\d+)-(\d+)\.[\w-]{8}\.tmp$/, "--------.", "1"),
  ],
  "snn/python.ts": [any(/^(?:bn_list\.)?(0|[1-9]\d*)\.(\w+)$/, "1.", "a", ".")],
  "snn/events/aedat31.ts": [
    line(/^#!END-HEADER/, "#!END-HEADE", "R"),
    line(/^#Format: *([\w-]*)/, "#Format:", " "),
    line(/^#Source \d+: *(.*)/, "#Source ", "1"),
  ],
  "snn/events/aedat4.ts": [
    any(/^(\d{1,10})"/, "", "1"),
    any(/^[^>]*>([^<]*)</, "", ">"),
    short(4, /^[A-Z]{4}$/, "", "A"),
  ],
  "snn/events/decoder.ts": [
    line(/^% end$/, "% end", " "),
    line(/(?:^% geometry |width=|^% width )(\d+)/i, "", "width="),
    line(/(?:^% geometry \d+x|height=|^% height )(\d+)/i, "% geometry ", "1"),
  ],
  "snn/events/evt.ts": [line(/endianness[= ]little/, "", "endianness=")],
  "snn/events/formats.ts": [
    short(16, /^#!AER-DAT(\d\.\d)/, "#!AER-DAT", "1"),
    line(/^% end/, "% ", "e"),
    line(/^% evt (\d\.?\d?)/, "% evt ", " "),
    line(/^% format EVT(\d+)/, "% format EVT", "1"),
  ],
  "snn/events/hdf5.ts": [any(/^(\d+)x(\d+)/, "", "1")],
  "snn/events/npz.ts": [
    short(1000, /'descr': *'([<>|=])(\w+)'/, "", "'descr': '<a"),
    short(1000, /'shape': *(\([\d, ]*\))/, "", "'shape': (1, "),
    short(1000, /^\((\d*)(, *1|,)?\)$/, "(1,", " "),
  ],
  "snn/events/records.ts": [
    line(/AEChip: *(.*)/i, "", "AEChip:"),
    line(/^#End Of ASCII Header/, "#End Of ASCII ", "H"),
  ],
  "snn/nir/hdf5.ts": [own(/^[0,]*$/), own(/call stack|recursion/)],
  "snn/nir/read.ts": [any(/^(_\d+)?$/, "_", "1", "x")],
  "snn/nir/write-nir.ts": [own(/[\0\p{Surrogate}]/u)],
  "demos/playground/ui/address.ts": [any(/^#(\/\w*\??)?/, "#/", "a")],
  "demos/playground/figures/train/figure.ts": [any(/^#\/(\w+)/, "#/", "a")],
  "demos/playground/figures/digit/link.ts": [any(/^([0-9a-z]{4})+(_([0-9a-z]{4})+)*$/, "", "0000_"), own(/(..)(..)/g)],
  "demos/playground/figures/terms.ts": [any(/^(-?\d+(?:\.\d+)?(?:e-?\d{1,2})?)(?:\*(\d{1,4}))?$/, "1.", "1", "x")],
  "demos/playground/figures/equation/address.ts": [any(/^#/, "", "#")],
  "demos/playground/figures/equation/editor.ts": [own(/^\n?$/)],
  "demos/playground/figures/equation/language.ts": [any(WORD, "", "∂")],
  "demos/playground/figures/equation/model.ts": [
    short(1000, /(?:^|returns )([\p{L}\p{Nd}_]+),?(?: which)? is a name/u, "", "returns a"),
  ],
  "demos/playground/figures/equation/reader.ts": [
    own(/(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+−]?\d+)?/u),
    own(/[\p{L}_][\p{L}\p{Nd}_]*['’′]?/u),
    own(/>=|<=|\*\*|[-+−·*×/÷^()[\]|,=≥≤><²³√;\n]/u),
    own(/#[^\n]*|[^\S\n]+/u),
    any(TOKEN, "", "1.1e+"),
    any(/^d\p{L}/u, "", "d"),
  ],
  "demos/playground/model/image.ts": [own(/0+$/), any(imageField(blank()).pattern, "", "0", "x")],
  "demos/playground/model/weights.ts": [any(/^\d{1,15}$/, "", "1", "x")],
};

/** Characters of the shorter text; the longer one has four times as many. */
const CHARACTERS = 1e5;
/** Times as long as the shorter text that the longer one may take: more than four, since the time of a part is not exact. */
const MOST = 8;
/** Milliseconds that a measured time has at least. */
const LEAST = 4;

/** Milliseconds of processors that a run takes. */
function spent(run: () => void): number {
  const { user, system } = process.cpuUsage();
  run();
  const after = process.cpuUsage();
  return (after.user + after.system - user - system) / 1000;
}

/** Looks for the expression, or for all places of one that is global, in the text. */
function find(pattern: RegExp, text: string): void {
  if (pattern.global) for (const _ of text.matchAll(pattern));
  else {
    pattern.lastIndex = 0;
    pattern.exec(text);
  }
}

/** The growth of the time from the shorter text to the longer one, the smallest of three, so that other work counts once at most. */
function growthOf({ pattern }: Expression, worst: (n: number) => string): number {
  const [shorter, longer] = [worst(CHARACTERS), worst(4 * CHARACTERS)];
  let rounds = 1;
  const times = (text: string): number =>
    spent(() => {
      for (let i = 0; i < rounds; i++) find(pattern, text);
    });
  while (times(shorter) < LEAST) rounds *= 2;
  return Math.min(...Array.from({ length: 3 }, () => times(longer) / times(shorter)));
}

/** Measures all expressions, and describes the first whose time grows with more than the length of the text. */
export function fuzzExpressions(progress: (growth: number) => void): string | null {
  for (const [file, expressions] of Object.entries(EXPRESSIONS)) {
    for (const expression of expressions) {
      if (expression.worst === null) continue;
      const growth = growthOf(expression, expression.worst);
      if (growth > MOST) {
        return `${file}: ${expression.pattern} takes ${growth.toFixed(1)} times as long over four times the text, expected at most ${MOST}`;
      }
      progress(growth);
    }
  }
  return null;
}
