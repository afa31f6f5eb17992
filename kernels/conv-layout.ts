/**
 * The words of the descriptor of loops over images (conv.ts). A word has 32 bits: an address, an integer, or an offset
 * from the start of a call's work area. An image has `groups`·`channels` planes; its maps are `groups`·`filters` planes
 * of `places` values.
 *
 * `convPlan` computes most words from groups, channels, filters, total, both axes, order, follows, density, and the
 * addresses of arrays.
 */

/**
 * Sizes. Values under a window: `kernel` in a channel, `taps` in all channels of a group. Values of a plane: `size`,
 * and `plane` with its padding.
 */
export const groups = 0;
export const channels = 1;
export const filters = 2;
export const kernel = 3;
export const taps = 4;
export const places = 5;
export const size = 6;
export const plane = 7;
/** Rows and columns of a plane, columns with padding, and the offset of a plane in its padded plane. */
export const height = 8;
export const columns = 9;
export const width = 10;
export const inner = 11;
/** Number of images, and of images that are processed together. */
export const total = 12;
export const batch = 13;
/** Bytes of a work area. */
export const bytes = 14;

/** Arrays of all images: values or, for spikes, bits; maps, weights, bias or 0; and whether results are added. */
export const images = 15;
export const bits = 16;
export const maps = 17;
export const weights = 18;
export const bias = 19;
export const adds = 20;

/**
 * `convMaps` and `convWeights`: tables of the taps of a window and of the places of windows. Work: padded images, maps
 * side by side.
 */
export const tapTable = 21;
export const placeTable = 22;
export const padded = 23;
export const side = 24;

/** Loops over non-zeros: EVENTS, WINDOWS, or 0 for other loops; their turned weights; tables of both axes. */
export const follows = 25;
export const turned = 26;
export const down = 27;
export const across = 28;
/**
 * Work: rows of bits of windows (or the bits of an image), the same bits by taps, lists, and the bits that the lists
 * have room for.
 */
export const rows = 29;
export const byTaps = 30;
export const lists = 31;
export const most = 32;

/**
 * `spreadMaps`: the places of maps that are stored as values, the number of values of a map, the sums of maps, and the
 * gradients of images.
 */
export const mapPlaces = 33;
export const each = 34;
export const sums = 35;
export const gradients = 36;
/** Number of images whose maps are followed at a time, a multiple of `batch`. */
export const chunk = 37;
/**
 * Filters by taps, and the length of their rows; window rows in all and at a time; runs of neighbours in a row, and
 * their table.
 */
export const dense = 38;
export const denseRow = 39;
export const windowRows = 40;
export const step = 41;
export const runs = 42;
export const runTable = 43;
/**
 * Work: images with padding, without padding, and before they are added; patches and the length of their rows;
 * non-zeros; maps.
 */
export const spaces = 44;
export const cut = 45;
export const plain = 46;
export const patches = 47;
export const patchesRow = 48;
export const nonZeros = 49;
/** `spreadTiles`: its products. Its padded images are maps with a margin, and its patches are V (conv-tiles.ts). */
export const products = 49;
export const block = 50;

/** For `convPlan`: the axes of an image, down and across, six words each. */
export const y = 51;
export const x = 57;
/** The innermost axis of a window: CHANNELS or COLUMNS, or TILES. */
export const order = 63;
/** The gradient of weights for a loop over non-zeros, or 0, and the share of spikes, a float32. */
export const dWeights = 64;
export const density = 65;

/** Number of words. */
export const words = 66;

/** Words of an axis. */
export const SIZE = 0;
export const PLACES = 1;
export const KERNEL = 2;
export const STRIDE = 3;
export const PADDING = 4;
export const DILATION = 5;

/** Columns for products over patches, channels for patches that are spread over images, also in tiles (conv-tiles.ts). */
export const COLUMNS = 0;
export const CHANNELS = 1;
export const TILES = 2;

/** Non-zeros one by one, and spikes as rows of bits, one for each window. */
export const EVENTS = 1;
export const WINDOWS = 2;
