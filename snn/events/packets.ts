/** Files of packets, AEDAT 3.1 and 4, in which only some packets contain events. */
import type { Decoder } from "./decoder.ts";
import type { EventColumns } from "./recording.ts";

/** Longer packets, in bytes, are damaged. */
export const LONGEST_PACKET = 2 ** 26;

/**
 * A decoder of packets. `lengthAt` returns the length of the packet at an index, including its header of `header` bytes, or 0 if no packet
 * begins there. After damage, decoding continues where `isMark` recognises a packet.
 */
export function packets(
  columns: EventColumns,
  header: number,
  expected: string,
  lengthAt: (bytes: Uint8Array, i: number) => number,
  isMark: (bytes: Uint8Array, i: number, ended: boolean) => boolean,
  packet: (bytes: Uint8Array, i: number, at: number, length: number) => void,
): Decoder["decode"] {
  let isLost = false;
  return (bytes, at, ended) => {
    let i = 0;
    while (bytes.length - i >= header) {
      if (isLost) {
        // Marks lie within the header and a few bytes after it.
        const last = bytes.length - (ended ? header : header + 16);
        while (i <= last && !isMark(bytes, i, ended)) i++;
        if (i > last) return ended ? bytes.length : i;
        isLost = false;
      }
      const length = lengthAt(bytes, i);
      if (length === 0) {
        columns.damaged(at + i, expected, `the bytes ${hex(bytes.subarray(i, i + Math.min(header, 8)))}`);
        isLost = true;
        i++;
        continue;
      }
      if (i + length > bytes.length) {
        // A damaged length would hide all later packets.
        if (!ended || !columns.recover) return i;
        columns.damaged(at + i, expected, "");
        isLost = true;
        i++;
        continue;
      }
      packet(bytes, i, at + i, length);
      i += length;
    }
    return isLost && ended ? bytes.length : i;
  };
}

const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
