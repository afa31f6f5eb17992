/**
 * The memory of a convolution: one block with the work area of a loop over images (conv.ts), then tables that all calls
 * share.
 *
 *   work area   the descriptor of a product | padded images, maps side by side, rows of bits, lists, patches, …
 *   tables      taps and places, or runs and places; both axes; weights as the loop needs them
 *
 * Each part begins at a cache line.
 */

import * as layout from "./conv-layout";
import { beginBlock, bytesTaken, setWord, takeArea, takeTable, takeWords } from "./conv-memory";
import { planTiles } from "./conv-tiles";
import { overlaps } from "./events";
import { at, word } from "./lanes";
import { grid } from "./patches";
import { spans } from "./pool";
import * as product from "./product-layout";

/**
 * Number of window positions that are processed together: all positions of several small images, or some of a large
 * one.
 */
export const BLOCK = 256;
/** Number of window positions that are processed together as rows of bits. */
const PLACES = 512;
/** Number of values of the maps to which events are added at a time. */
const EVENT_MAPS = 16384;
/** Number of values of the patches that are spread over images at a time. */
const PATCHES = 131072;
/**
 * Largest number of values of maps, and of batches, for one pass over non-zeros that computes a gradient of weights.
 * More images give longer rows of bits, and a row with a few events costs little more than an empty one.
 */
const FOLLOWED = 65536;
const BATCHES = 8;
/** Room of lists for spikes, as a multiple of the mean number of spikes. */
const ROOM: f64 = 2;

/**
 * Length of a row of `values` values: whole cache lines, with room at the end that `multiplyListed` may read or write.
 */
function roomFor(values: i32): i32 {
  return (values + 31) & ~15;
}

/**
 * Lays out a convolution at `block` and writes its tables there; if `block` is 0, only counts. Returns the bytes of the
 * block. The work area is the first part.
 */
export function convPlan(g: usize, block: usize): f64 {
  const channels = word(g, layout.channels);
  const spreads = word(g, layout.order) == layout.CHANNELS;
  const follows = word(g, layout.follows);
  const padding = word(g, layout.x + layout.PADDING);
  const height = setWord(g, layout.height, word(g, layout.y));
  const columns = setWord(g, layout.columns, word(g, layout.x));
  const width = setWord(g, layout.width, columns + 2 * padding);
  const down = word(g, layout.y + layout.PADDING);
  setWord(g, layout.inner, down * width + padding);
  setWord(g, layout.size, height * columns);
  setWord(g, layout.plane, width * (height + 2 * down));
  const kernel = word(g, layout.y + layout.KERNEL) * word(g, layout.x + layout.KERNEL);
  setWord(g, layout.kernel, kernel);
  setWord(g, layout.taps, channels * kernel);
  const places = setWord(g, layout.places, word(g, layout.y + layout.PLACES) * word(g, layout.x + layout.PLACES));
  let most = BLOCK;
  if (!spreads && follows == layout.WINDOWS) most = PLACES;
  if (!spreads && follows == layout.EVENTS) most = EVENT_MAPS / word(g, layout.filters);
  const batch = setWord(g, layout.batch, max(1, min(word(g, layout.total), most / places)));
  beginBlock();
  takeWords(product.words);
  if (word(g, layout.order) == layout.TILES) {
    planTiles(g, block);
    return <f64>bytesTaken();
  }
  if (spreads) planSpread(g);
  else {
    const padded = follows == 0 && word(g, layout.plane) > word(g, layout.size);
    const values = <i64>batch * word(g, layout.groups) * channels * word(g, layout.plane);
    takeArea(g, layout.padded, padded ? values : 0);
    // Loops over non-zeros need maps with the filters innermost; other loops read the maps in place unless several
    // images are processed together.
    const rows = follows != 0 ? 1 : batch > 1 ? word(g, layout.groups) : 0;
    takeArea(g, layout.side, <i64>batch * places * rows * word(g, layout.filters));
  }
  if (follows != 0) planNonZeros(g, spreads ? word(g, layout.chunk) : batch);
  setWord(g, layout.bytes, <i32>bytesTaken());
  if (spreads) tabulateSpread(g, block);
  else if (follows == 0) tabulatePatches(g, block);
  if (follows != 0) tabulateNonZeros(g, block);
  return <f64>bytesTaken();
}

/** Reserves the work area of `spreadMaps`, with room for gradients unless their address is 0. */
function planSpread(g: usize): void {
  const channels = <i64>word(g, layout.channels);
  const filters = <i64>word(g, layout.filters);
  const places = word(g, layout.places);
  const size = channels * word(g, layout.size);
  const plane = channels * word(g, layout.plane);
  const rows = word(g, layout.groups) * word(g, layout.filters);
  const batch = word(g, layout.batch);
  const images: i64 = word(g, layout.gradients) != 0 ? 1 : 0;
  const isPadded = plane > size;
  const times = <i32>(FOLLOWED / (<i64>batch * places * rows));
  const chunk = <i64>setWord(g, layout.chunk, batch * max(1, min(BATCHES, times)));
  // Number of window rows at a time, and of runs of neighbours in a row.
  const most = min(batch * places, BLOCK);
  const row = word(g, layout.x + layout.KERNEL) * <i32>channels;
  const windowRows = setWord(g, layout.windowRows, word(g, layout.y + layout.KERNEL));
  const step = setWord(g, layout.step, max(1, min(windowRows, PATCHES / (most * row))));
  const isRun = word(g, layout.x + layout.DILATION) == 1;
  setWord(g, layout.runs, isRun ? 1 : word(g, layout.x + layout.KERNEL));
  setWord(g, layout.denseRow, roomFor(word(g, layout.taps)));
  const patchesRow = setWord(g, layout.patchesRow, roomFor(step * row));
  takeArea(g, layout.side, chunk * places * filters);
  takeArea(g, layout.block, word(g, layout.each) != 0 ? chunk * rows * places : 0);
  takeArea(g, layout.spaces, images * batch * plane);
  takeArea(g, layout.cut, isPadded ? images * size : 0);
  takeArea(g, layout.plain, isPadded && word(g, layout.adds) != 0 ? images * size : 0);
  takeArea(g, layout.patches, images * most * patchesRow);
  takeArea(g, layout.nonZeros, images * (most + 3 + 2 * most * filters));
}

/**
 * Reserves the work area of loops over the non-zeros of `count` images at a time: rows of bits of windows, or the bits
 * of a float image.
 */
function planNonZeros(g: usize, count: i32): void {
  const channels = <i64>word(g, layout.channels);
  const taps = word(g, layout.taps);
  const windows = <i64>count * word(g, layout.places);
  if (word(g, layout.follows) == layout.EVENTS) {
    takeArea(g, layout.rows, ((channels * word(g, layout.size) + 31) >> 5) + 1);
    return;
  }
  const mean = <f64>load<f32>(at(g, layout.density)) * <f64>windows * <f64>taps;
  // At least room for all bits of one row.
  const most = max(max(<i64>taps, windows), <i64>ceil(ROOM * mean));
  setWord(g, layout.most, <i32>most);
  takeArea(g, layout.rows, windows * channels);
  takeArea(g, layout.byTaps, word(g, layout.order) == layout.CHANNELS ? 32 * channels * ((windows + 31) >> 5) : 0);
  // A word for each row, and two bytes for each bit.
  takeArea(g, layout.lists, max(windows, <i64>taps) + 6 + ((most + 1) >> 1));
}

/** Distance in a padded plane, in values, of a vertical step (a stride or a dilation). */
function stepDown(g: usize, step: i32): i32 {
  return word(g, layout.y + step) * word(g, layout.width);
}

/** Writes the tables of products over patches: taps, and places of all images of a batch. */
function tabulatePatches(g: usize, block: usize): void {
  const channels = word(g, layout.channels);
  const plane = word(g, layout.plane);
  const batch = word(g, layout.batch);
  const taps = takeTable(g, layout.tapTable, block, word(g, layout.taps));
  const places = takeTable(g, layout.placeTable, block, <i64>batch * word(g, layout.places));
  if (block == 0) return;
  const rows = word(g, layout.y + layout.KERNEL);
  const columns = word(g, layout.x + layout.KERNEL);
  grid(taps, channels, rows, columns, plane, stepDown(g, layout.DILATION), word(g, layout.x + layout.DILATION));
  tabulatePlaces(g, places, word(g, layout.groups) * channels * plane, 1);
}

/**
 * Writes the places of the window in all images of a batch. Images are `image` values apart, and columns `apart`
 * values.
 */
function tabulatePlaces(g: usize, places: usize, image: i32, apart: i32): void {
  const down = apart * stepDown(g, layout.STRIDE);
  const across = apart * word(g, layout.x + layout.STRIDE);
  const rows = word(g, layout.y + layout.PLACES);
  grid(places, word(g, layout.batch), rows, word(g, layout.x + layout.PLACES), image, down, across);
}

/**
 * Writes the tables of `spreadMaps`: places, runs of neighbours. Reserves room for filters by taps with the channels
 * innermost.
 */
function tabulateSpread(g: usize, block: usize): void {
  const channels = word(g, layout.channels);
  const rows = word(g, layout.gradients) != 0 ? word(g, layout.groups) * word(g, layout.filters) : 0;
  const windowRows = word(g, layout.windowRows);
  const runs = word(g, layout.runs);
  takeTable(g, layout.dense, block, <i64>rows * word(g, layout.denseRow));
  const places = takeTable(g, layout.placeTable, block, <i64>word(g, layout.batch) * word(g, layout.places));
  const runTable = takeTable(g, layout.runTable, block, windowRows * runs);
  if (block == 0) return;
  tabulatePlaces(g, places, channels * word(g, layout.plane), channels);
  const down = channels * stepDown(g, layout.DILATION);
  grid(runTable, 1, windowRows, runs, 0, down, channels * word(g, layout.x + layout.DILATION));
}

/** Writes the tables of both axes for a loop over non-zeros, and reserves room for its weights. */
function tabulateNonZeros(g: usize, block: usize): void {
  const filters = word(g, layout.filters);
  const unit = filters << 2;
  const tap = word(g, layout.x + layout.KERNEL) * unit;
  const place = word(g, layout.x + layout.PLACES) * unit;
  tabulateAxis(g, layout.down, layout.y, block, tap, place);
  tabulateAxis(g, layout.across, layout.x, block, unit, unit);
  takeTable(g, layout.turned, block, <i64>word(g, layout.groups) * word(g, layout.channels) * turnedRows(g) * filters);
}

/**
 * Rows of a channel in the turned weights: 32 if forward reads windows, since their rows of bits have a 32-bit word for
 * each channel.
 */
export function turnedRows(g: usize): i32 {
  const hasGaps = word(g, layout.follows) == layout.WINDOWS && word(g, layout.order) == layout.COLUMNS;
  return hasGaps ? 32 : word(g, layout.kernel);
}

/**
 * Writes the table of an axis. For events: the windows over each value, with taps and places `tap` and `place` bytes
 * apart. Otherwise: the values under each window.
 */
function tabulateAxis(g: usize, name: i32, axis: i32, block: usize, tap: i32, place: i32): void {
  const size = word(g, axis + layout.SIZE);
  const places = word(g, axis + layout.PLACES);
  const kernel = word(g, axis + layout.KERNEL);
  const stride = word(g, axis + layout.STRIDE);
  const padding = word(g, axis + layout.PADDING);
  const dilation = word(g, axis + layout.DILATION);
  const areEvents = word(g, layout.follows) == layout.EVENTS;
  const to = takeTable(g, name, block, areEvents ? 1 + 5 * <i64>size : 9 + 3 * <i64>places);
  if (block == 0) return;
  if (areEvents) overlaps(to, size, places, kernel, stride, padding, dilation, tap, place);
  else spans(to, size, places, kernel, stride, padding, dilation, 0);
}
