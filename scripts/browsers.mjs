/**
 * Pages in headless browsers: $CHROMIUM and $FIREFOX, or where Debian's packages put them.
 *
 * A browser is only asked to open an address, so no driver has to know its version. The page does its work and sends the
 * result to the server that it came from:
 *
 *   fetch("/result", { method: "POST", body: JSON.stringify(…) });
 *
 * Errors that it does not catch are sent by a script that the server puts into every page.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const TIMEOUT_MS = 120_000;

/** As root in a container there is no sandbox, and little shared memory. The rest keeps it off the network. */
const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-dev-shm-usage",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

const FIREFOX_PREFERENCES = {
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

/** Where each browser is, and its arguments for a fresh profile. */
const BROWSERS = {
  chromium: {
    path: process.env.CHROMIUM ?? "/usr/bin/chromium",
    flags: (profile) => [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`],
  },
  "firefox-esr": {
    path: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    flags(profile) {
      const lines = Object.entries(FIREFOX_PREFERENCES).map(
        (entry) => `user_pref(${JSON.stringify(entry).slice(1, -1)});`,
      );
      writeFileSync(join(profile, "user.js"), lines.join("\n"));
      return ["--headless", "--no-remote", "--profile", profile];
    },
  },
};

/** Every browser as its name with its version, and a function that gives what a page of a folder sends. */
export function browsers() {
  return Object.entries(BROWSERS).map(([key, browser]) => {
    if (!existsSync(browser.path)) {
      throw new Error(
        `browsers: expected ${key} at ${browser.path}, found nothing; ` +
          `install it (Debian: apt-get install ${key}) or say where one is by CHROMIUM or FIREFOX`,
      );
    }
    const version = execFileSync(browser.path, ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [name] = version.match(/(Chrom\w+|Firefox) [\d.]+/) ?? [version.trim()];
    return { name, visit: (folder, page) => visit(browser, folder, page) };
  });
}

async function visit({ path, flags }, folder, page) {
  const profile = mkdtempSync(join(tmpdir(), "jarvis-snn-browser-"));
  const server = await serve(folder);
  const browser = spawn(path, [...flags(profile), server.url + page], {
    env: { ...process.env, HOME: profile },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  browser.stderr.on("data", (text) => {
    log += text;
  });
  // "close" comes when its child processes are gone too, and no longer write into the profile.
  const ended = new Promise((resolve) => browser.once("close", resolve).once("error", resolve));
  const late = sleep(TIMEOUT_MS, `silence for ${TIMEOUT_MS / 1000} s`, { ref: false });
  const failed = Promise.race([ended.then((reason) => `the end of the browser, ${reason}`), late]).then((got) => {
    throw new Error(`browsers: expected a result of ${page} in ${path}, got ${got}\n${log}`);
  });
  try {
    return await Promise.race([server.result, failed]);
  } finally {
    browser.kill("SIGKILL");
    await Promise.race([ended, sleep(10_000, null, { ref: false })]);
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".bin": "application/octet-stream",
};

/** Sends what nothing catches: exceptions, rejections, scripts that do not load. */
const WATCH = `
  const send = (error) => fetch("/error", { method: "POST", body: error + "\\n" + (error?.stack ?? "") });
  addEventListener("error", ({ error, target }) => send(error ?? "a script does not load: " + target.src), true);
  addEventListener("unhandledrejection", ({ reason }) => send(reason));
`;

/** Serves a folder until a page of it has sent a result or an error. */
async function serve(folder) {
  let settle;
  const result = new Promise((resolve, reject) => {
    settle = (url, body) => (url === "/result" ? resolve(JSON.parse(body)) : reject(new Error(`browsers: ${body}`)));
  });
  const server = createServer(async (request, response) => {
    if (request.method === "POST") {
      settle(request.url, Buffer.concat(await request.toArray()).toString());
      response.end();
      return;
    }
    const content = request.url === "/watch.js" ? WATCH : read(join(folder, request.url));
    response.writeHead(content === null ? 404 : 200, {
      "content-type": `${TYPES[extname(request.url)]}; charset=utf-8`,
    });
    response.end(content);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => server.close().closeAllConnections();
  return { url: `http://127.0.0.1:${server.address().port}/`, result, close };
}

/** A file, a page with the script that watches over it, or null. */
function read(path) {
  try {
    const content = readFileSync(path);
    if (extname(path) !== ".html") return content;
    return content.toString().replace("<head>", '<head><script src="/watch.js"></script>');
  } catch {
    return null;
  }
}
