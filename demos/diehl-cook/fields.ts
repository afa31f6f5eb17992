/** A picture of receptive fields: a grid of square images, as a PNG of 16 greys in an SVG. */
import { deflateSync } from "node:zlib";
import type { Tensor } from "jarvis-snn";

/** Pixels between two fields. */
const GAP = 1;
const GREYS = 15;

/** The rows of weights [N, pixels] as fields, dark where a weight is large: of each field its largest weight is black. */
export function fieldsSheet(weights: Tensor, title: string): string {
  const { width, height, grey } = grid(weights);
  const scale = Math.max(1, Math.floor(840 / width));
  const [w, h] = [scale * width, scale * height];
  const image = `data:image/png;base64,${png(width, height, grey).toString("base64")}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img">`,
    `<title>${title}</title>`,
    `<image href="${image}" width="${w}" height="${h}" style="image-rendering: pixelated"/>`,
    "</svg>\n",
  ].join("\n");
}

function grid(weights: Tensor) {
  const [neurons, pixels] = weights.shape as readonly [number, number];
  const side = Math.sqrt(pixels);
  const values = weights.toFloat32Array();
  const columns = Math.ceil(Math.sqrt(neurons));
  const rows = Math.ceil(neurons / columns);
  const [width, height] = [columns * (side + GAP) - GAP, rows * (side + GAP) - GAP];
  const grey = new Uint8Array(width * height).fill(GREYS);
  for (let j = 0; j < neurons; j++) {
    const field = values.subarray(j * pixels, (j + 1) * pixels);
    const most = field.reduce((high, w) => Math.max(high, w), 1e-9);
    const [left, top] = [(j % columns) * (side + GAP), Math.floor(j / columns) * (side + GAP)];
    field.forEach((w, i) => {
      const at = (top + Math.floor(i / side)) * width + left + (i % side);
      grey[at] = Math.round(GREYS * (1 - w / most));
    });
  }
  return { width, height, grey };
}

/** A PNG of 4-bit greys. */
function png(width: number, height: number, grey: Uint8Array): Buffer {
  const stride = 1 + Math.ceil(width / 2);
  const data = Buffer.alloc(height * stride);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * stride + 1 + (x >> 1);
      data[at] = (data[at] as number) | ((grey[y * width + x] as number) << (x % 2 === 0 ? 4 : 0));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([4, 0, 0, 0, 0], 8); // bits of a grey, grey, and the only ways to compress, filter and interlace
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(data, { level: 9 })), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

function chunk(kind: string, data: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, check]);
}

/** The cyclic redundancy check of a chunk. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb88320);
  }
  return ~crc >>> 0;
}
