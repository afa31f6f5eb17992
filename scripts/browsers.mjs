/**
 * Pages in browsers: $CHROMIUM, $FIREFOX and $WEBKIT, or where Debian's packages put Chromium, Firefox and the MiniBrowser of WebKitGTK.
 *
 * The page does its work and sends the result to the server that it came from:
 *
 *   fetch("/result", { method: "POST", body: JSON.stringify(…) });
 *
 * Errors that it does not catch are sent by a script that the server puts into every page.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { isThere } from "./machine.mjs";
import { poll, start } from "./programs.mjs";
import { PATIENT } from "./serve.mjs";
import { overHTTP, overMarionette } from "./webdriver.mjs";

/** Headers of pages with memory that threads share. */
export const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** Limits of a visit, and of the start of a program: on the busiest machine, what takes longer hangs. */
export const TIMEOUT_MS = 600_000;
const START_MS = 240_000;

/** In a container, root has no sandbox and little shared memory. The other flags keep Chromium off the network. */
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
  "marionette.port": 0, // a free one
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

/** Debian's path of the MiniBrowser. */
const LIBRARIES = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
const XVFB = "/usr/bin/Xvfb";
const WEBKIT_DRIVER = "/usr/bin/WebKitWebDriver";

/**
 * Every browser: its path, the files and the packages of Debian that it needs, and what its environment adds.
 *
 * `connect` starts it with a client of WebDriver, which goes to a page. Chromium is only started with an address (`open`); tests that
 * do more with it drive it by Playwright. `launch` starts a program that ends with the visit.
 */
const BROWSERS = {
  Chromium: {
    path: process.env.CHROMIUM ?? "/usr/bin/chromium",
    packages: "chromium",
    open: ({ path, profile, launch }, url) => launch(path, [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, url]),
  },
  Firefox: {
    path: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    packages: "firefox-esr",
    async connect({ path, profile, launch }) {
      const lines = Object.entries(FIREFOX_PREFERENCES).map(
        (entry) => `user_pref(${JSON.stringify(entry).slice(1, -1)});`,
      );
      writeFileSync(join(profile, "user.js"), lines.join("\n"));
      const program = launch(path, ["--headless", "--no-remote", "--marionette", "--profile", profile]);
      const port = () => Number(read(join(profile, "MarionetteActivePort")));
      const connected = async (over) => overMarionette(await poll(port, over), program.log);
      return { program, client: await program.during(connected, "a session", START_MS) };
    },
  },
  WebKit: {
    path: process.env.WEBKIT ?? `${LIBRARIES}/webkit2gtk-4.1/MiniBrowser`,
    needs: [WEBKIT_DRIVER, XVFB],
    packages: "libwebkit2gtk-4.1-0 webkit2gtk-driver xvfb",
    async environment(launch) {
      const options = ["-displayfd", "1", "-terminate", "-nolisten", "tcp", "-screen", "0", "1280x1024x24"];
      const server = launch(XVFB, options, "SIGTERM");
      const number = (over) => poll(() => server.output().match(/^\d+(?=\n)/)?.[0], over);
      return { DISPLAY: `:${await server.during(number, "the number of a display", START_MS)}`, GDK_BACKEND: "x11" };
    },
    async connect({ path, launch }) {
      const port = await freePort();
      const program = launch(WEBKIT_DRIVER, [`--port=${port}`]);
      const status = () =>
        fetch(`http://127.0.0.1:${port}/status`).then(
          ({ ok }) => ok,
          () => false,
        );
      const options = { "webkitgtk:browserOptions": { binary: path, args: ["--automation"] } };
      // A browser whose port was taken in the meantime lives on, and never answers its driver.
      const isCutOff = (over) => poll(() => CUT_OFF.test(program.log()), over);
      const refuse = () => Promise.reject(new Error(`browsers: expected a session, got\n${program.log()}`));
      async function connected(over) {
        await poll(status, over);
        return Promise.race([overHTTP(port, program.log, options), isCutOff(over).then(refuse)]);
      }
      return { program, client: await program.during(connected, "a session", START_MS) };
    },
  },
};

/** A port that is free now. */
async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/**
 * The installed browsers: name with version, and `visit(folder, page, use, headers)`, which resolves to the result that a page of a folder
 * sends. If the browser `isDriven`, `use` may be given: it receives a client when the page is loaded, and `visit` resolves to its result.
 * All files are served with `headers`.
 */
export async function browsers() {
  const there = Object.entries(BROWSERS).filter(([name, { path, needs = [], packages }]) =>
    isThere(name, [path, ...needs], packages),
  );
  return Promise.all(
    there.map(async ([key, browser]) => {
      const { path } = browser;
      const version = await inside(browser, ({ launch }) => launch(path, ["--version"]).finished(START_MS));
      const [name] = version.match(/(Chrom\w+|Firefox|WebKitGTK) [\d.]+/) ?? [`${key} ${version.trim()}`];
      return { name, isDriven: "connect" in browser, visit: (...args) => visit(browser, ...args) };
    }),
  );
}

/** Calls a function with a fresh profile and the environment of a browser; ends all programs that it launches. */
async function inside({ path, environment = () => ({}) }, body) {
  const profile = mkdtempSync(join(tmpdir(), "jarvis-snn-browser-"));
  const programs = [];
  // In this locale the language of WebKit is "C", which Intl rejects: the strictest case for a page.
  let env = { ...process.env, HOME: profile, LC_ALL: "C.UTF-8", LANGUAGE: "" };
  function launch(command, args, signal) {
    programs.unshift(start(command, args, { env, signal }));
    return programs[0];
  }
  try {
    env = { ...env, ...(await environment(launch)) };
    return await body({ path, profile, launch });
  } finally {
    for (const program of programs) await program.end();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Never resolves; rejects if the page crashes, whose process was not started by `launch`. A command may not take minutes. */
async function waitForever(client) {
  while (client !== undefined) await client.run(() => new Promise((again) => setTimeout(again, 60_000)));
  return new Promise(() => {});
}

/** What WebKit prints when its driver cannot reach it. */
const CUT_OFF = /Failed to start remote inspector server/;

/** Messages of WebKitWebDriver after a crash of its own or of its browser; both crash occasionally, because of faults in their memory. */
const CRASHED = /Session terminated without a reply|page crash or hang|WebProcess CRASHED/;
const ATTEMPTS = 3;

/** A visit, repeated if the browser crashes or starts cut off. Errors of the page and of commands are thrown at once. */
async function visit(...all) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await visitOnce(...all);
    } catch (error) {
      if (attempt === ATTEMPTS || ![CRASHED, CUT_OFF].some((pattern) => pattern.test(error.message))) throw error;
      console.error(`browsers: ${error.message}; visit ${attempt + 1} of at most ${ATTEMPTS}`);
    }
  }
}

async function visitOnce(browser, folder, page, use, headers) {
  const server = await serve(folder, headers);
  const url = server.url + page;
  try {
    return await inside(browser, async (place) => {
      const { program, client } = (await browser.connect?.(place)) ?? { program: browser.open(place, url) };
      const work = async () => {
        await client?.navigate(url);
        return (use ?? waitForever)(client);
      };
      // An uncaught error of the page is the server's result.
      return program.during(() => Promise.race([server.result, work()]), `a result of ${page}`, TIMEOUT_MS);
    });
  } finally {
    server.close();
  }
}

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".bin": "application/octet-stream",
};

/** Sends uncaught errors: exceptions, rejections, scripts that do not load. */
const WATCH = `
  const send = (error) => fetch("/error", { method: "POST", body: error + "\\n" + (error?.stack ?? "") });
  addEventListener("error", ({ error, target }) => send(error ?? "a script does not load: " + target.src), true);
  addEventListener("unhandledrejection", ({ reason }) => send(reason));
`;

/** Serves a folder until a page of it has sent a result or an error. */
async function serve(folder, headers) {
  let settle;
  const result = new Promise((resolve, reject) => {
    settle = (url, body) => (url === "/result" ? resolve(JSON.parse(body)) : reject(new Error(`browsers: ${body}`)));
  });
  const server = createServer(PATIENT, async (request, response) => {
    if (request.method === "POST") {
      // A browser that ends may leave its last message incomplete.
      const parts = await request.toArray().catch(() => null);
      if (parts !== null) settle(request.url, Buffer.concat(parts).toString());
      response.end();
      return;
    }
    const { pathname } = new URL(request.url, "http://localhost");
    const content = pathname === "/watch.js" ? WATCH : read(join(folder, pathname));
    response.writeHead(content === null ? 404 : 200, {
      "content-type": `${TYPES[extname(pathname)]}; charset=utf-8`,
      ...headers,
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
