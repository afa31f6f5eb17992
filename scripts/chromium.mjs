/** Starts the headless Chromium that the browser tests run in: $CHROMIUM, or where Debian's package puts it. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const QUIET = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"];

export async function launchChromium() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(
      `chromium: expected the browser at ${executablePath}, found nothing; ` +
        "install it (Debian: apt-get install chromium) or set CHROMIUM to the path of a Chrome or Chromium",
    );
  }
  return await chromium.launch({ executablePath, args: [...QUIET, "--disable-sync"] });
}
