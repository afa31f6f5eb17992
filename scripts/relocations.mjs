/**
 * Where a kernel module names addresses of its constants and work areas, told by two builds of it that differ in these alone.
 *
 * `jarvis-snn/threads` gives every thread a copy of the kernels with constants of its own: it adds a distance at each of these places.
 */

/** The opcode of a constant; all addresses of a build are such constants. */
const I32_CONST = 0x41;
/** Sections of a module whose constants may be addresses. */
const GLOBALS = 6;
const CODE = 10;

/** A LEB128 number at `at`, signed if `signed`, and the first byte after it. */
function numberAt(bytes, at, signed = false) {
  let value = 0;
  let shift = 0;
  let byte;
  do {
    byte = bytes[at++];
    value |= (byte & 127) << shift;
    shift += 7;
  } while (byte > 127);
  if (signed && shift < 32 && (byte & 64) !== 0) value |= -1 << shift;
  return [signed ? value : value >>> 0, at];
}

/** The first byte of the globals of a module and of each of its functions, and the byte after each. */
function spansOf(bytes) {
  const found = [];
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [length, start] = numberAt(bytes, at + 1);
    at = start + length;
    if (id === GLOBALS) found.push([start, at]);
    if (id !== CODE) continue;
    let [count, next] = numberAt(bytes, start);
    for (; count > 0; count--) {
      const [size, first] = numberAt(bytes, next);
      next = first + size;
      found.push([first, next]);
    }
  }
  return found;
}

/**
 * The first bytes of all addresses in the code and the globals of `lower`, of which those in `higher` are larger by a distance.
 *
 * @throws Error where the two builds differ in anything else.
 */
export function constantsOf(name, lower, higher, distance) {
  const [spans, others] = [spansOf(lower), spansOf(higher)];
  const places = [];
  const unlike = (f) =>
    new Error(
      `build-kernels: expected builds of ${name} that differ in addresses, got others in part ${f} of the code`,
    );
  spans.forEach(([start, end], f) => {
    if (others.length !== spans.length) throw unlike(f);
    let [j, last] = others[f];
    let i = start;
    while (i < end && j < last) {
      if (lower[i] === higher[j]) {
        i++;
        j++;
        continue;
      }
      // The numbers may begin alike.
      while (lower[i - 1] > 127 && lower[i - 1] === higher[j - 1]) {
        i--;
        j--;
      }
      const [address, next] = numberAt(lower, i, true);
      const [moved, behind] = numberAt(higher, j, true);
      if (lower[i - 1] !== I32_CONST || moved - address !== distance) throw unlike(f);
      places.push(i);
      [i, j] = [next, behind];
    }
    if (i !== end || j !== last) throw unlike(f);
  });
  return places;
}

/** The declaration of the table: distances between the places of addresses, each a character with its code. */
export function relocationsSource(relocations) {
  const lines = Object.entries(relocations).map(([name, places]) => {
    const distances = places.map((place, i) => place - (places[i - 1] ?? 0));
    return `  ${name}: ${JSON.stringify(String.fromCharCode(...distances))},`;
  });
  return `export const relocations = {\n${lines.join("\n")}\n};\n`;
}
