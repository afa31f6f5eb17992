/** The pictures of the playground in docs/, from its build: node scripts/pictures.mjs */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What is shown, and what has to be there before the picture is taken. */
const PICTURES = [
  {
    file: "playground-train.webp",
    hash: "#/train?steps=200",
    size: { width: 1440, height: 1140 },
    keys: Array(9).fill("ArrowRight"),
    ready: () => document.querySelector("[data-figure=step]")?.textContent === "200",
  },
  {
    file: "playground-draw.webp",
    hash: "#/draw",
    size: { width: 1440, height: 1000 },
    keys: ["PageUp"],
    colorScheme: "dark",
    ready: () => document.querySelector("[data-figure=step]")?.textContent === "400",
  },
  {
    file: "playground-neuron.webp",
    hash: "#/neuron?input=step&current=3&adaptation=0.3",
    size: { width: 1200, height: 740 },
    keys: Array(9).fill("PageUp"),
    ready: () => document.querySelector("[data-figure=spikes]") !== null,
  },
];

/** A PNG file as a WebP file of a third of its size; the browser can do that. */
async function asWebp(page, png) {
  const base64 = await page.evaluate(
    async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext("2d").drawImage(image, 0, 0);
      const bytes = await (await canvas.convertToBlob({ type: "image/webp", quality: 0.86 })).bytes();
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    },
    `data:image/png;base64,${png.toString("base64")}`,
  );
  return Buffer.from(base64, "base64");
}

const server = await serve(join(root, "build/playground"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
for (const { file, hash, size, keys, colorScheme = "light", ready } of PICTURES) {
  const page = await browser.newPage({ viewport: size, colorScheme });
  await page.goto(server.url + hash);
  await page.waitForFunction(ready);
  // Maps are sharpened at rest; the cursor shows the diagram in the middle of a step.
  await page.waitForTimeout(600);
  await page.locator(".stack").press("Home");
  for (const key of keys) await page.locator(".stack").press(key);
  await page.evaluate(() => {
    document.activeElement.blur();
    scrollTo(0, 0);
  });
  await page.waitForTimeout(200);
  writeFileSync(join(root, "docs", file), await asWebp(page, await page.screenshot()));
  await page.close();
}
await browser.close();
server.close();
