/** Buttons that keep what there is to see. */
import { button, download } from "./dom.ts";

interface Picture {
  readonly name: string;
  readonly svg: string;
}

export function pictureButtons(picture: () => Picture): HTMLButtonElement[] {
  return [
    button("Picture (SVG)", () => {
      const { name, svg } = picture();
      download(`${name}.svg`, svg, "image/svg+xml");
    }),
    button("Picture (PNG)", async () => {
      const { name, svg } = picture();
      download(`${name}.png`, await (await rasterise(svg)).arrayBuffer(), "image/png");
    }),
  ];
}

/** Twice as many pixels as the page shows. */
async function rasterise(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * image.width;
  canvas.height = 2 * image.height;
  (canvas.getContext("2d") as CanvasRenderingContext2D).drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error("The browser makes no PNG of it.")) : resolve(blob)));
  });
}
