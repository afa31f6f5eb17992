/**
 * The words of the descriptor that loops over images take (conv.ts): 32 bits each, addresses, integers and offsets from the begin of the
 * work area that each call has of its own. An image has `groups`·`channels` planes, its maps are `groups`·`filters` planes of `places`.
 */

/** Sizes: values under a window in a channel, and in all channels of a group; values of a plane, and of one with its padding. */
export const groups = 0;
export const channels = 1;
export const filters = 2;
export const kernel = 3;
export const taps = 4;
export const places = 5;
export const size = 6;
export const plane = 7;
/** Rows and columns of a plane, columns with padding, and values from the begin of a padded plane to the first of the plane. */
export const height = 8;
export const columns = 9;
export const width = 10;
export const inner = 11;
/** How many images there are, and how many are worked on at a time. */
export const total = 12;
export const batch = 13;
/** The bytes of a work area. */
export const bytes = 14;

/** Arrays of all images: their values, or their bits where these are spikes; maps, weights, bias, or 0, and whether results are added. */
export const images = 15;
export const bits = 16;
export const maps = 17;
export const weights = 18;
export const bias = 19;
export const adds = 20;

/** `convMaps` and `convWeights`: tables of the places in a window and of windows. Work: padded images, maps side by side. */
export const tapTable = 21;
export const placeTable = 22;
export const padded = 23;
export const side = 24;

/** Loops that follow non-zeros: EVENTS, WINDOWS, or 0 for none; weights as these need them; tables of both axes. */
export const follows = 25;
export const turned = 26;
export const down = 27;
export const across = 28;
/** Work: rows of bits of windows, these by taps, and lists of at most so many bits; or bits of an image. */
export const rows = 29;
export const byTaps = 30;
export const lists = 31;
export const most = 32;

/** `spreadMaps`, besides: maps as values at so many places of each, where each has a sum, and images that gradients go to. */
export const mapPlaces = 33;
export const each = 34;
export const sums = 35;
export const gradients = 36;
/** Images whose maps are followed at a time, a multiple of `batch`. */
export const chunk = 37;
/** Filters by taps, and the values of a row of them; rows of a window, those at a time, and runs of neighbours under a row. */
export const dense = 38;
export const denseRow = 39;
export const windowRows = 40;
export const step = 41;
export const runs = 42;
export const runTable = 43;
/** Work: images with their padding, without it, and before they are added; patches, and the values of a row; non-zeros; maps. */
export const spaces = 44;
export const cut = 45;
export const plain = 46;
export const patches = 47;
export const patchesRow = 48;
export const nonZeros = 49;
export const block = 50;

/** How many there are. */
export const words = 51;

/** Non-zeros one by one, and spikes as rows of bits, one for each window. */
export const EVENTS = 1;
export const WINDOWS = 2;
