/**
 * The service worker: keeps files, so that pages open without a network too. The build writes two constants in front of it: OWN, the names
 * of files and folders that it may answer for, and VERSION, the digest of `offline.json`. That file has the digests of all other files.
 * Only bytes with the right digest are kept, because an answer with the status 200 may be the login page of a network.
 *
 * `first` of `offline.json` is kept at once, all of it or nothing; `later` is kept when it is visited. A new version waits until no tab
 * shows the one before, whose files it then removes: a room that an open tab has not loaded yet has another name in the new version.
 *
 * Without the constants it ends the worker that an earlier build has left at this address.
 */
/* global OWN, VERSION */
const SCOPE = registration.scope;
const PREFIX = `jarvis-snn ${SCOPE} `;
const CACHE = typeof VERSION === "undefined" ? null : PREFIX + VERSION;
/** How many answers this worker could not keep since it was started. */
let missed = 0;

/** Removes the files of other versions. */
async function clear() {
  for (const key of await caches.keys()) if (key.startsWith(PREFIX) && key !== CACHE) await caches.delete(key);
}

const digests = async (cache) => (await cache.match(`${SCOPE}offline.json`)).json();

async function keep(cache, path, digest, response) {
  const bytes = await response.arrayBuffer();
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes), 0, 8);
  const hex = Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== digest) throw new Error(`offline: expected ${path} with the digest ${digest}, got ${hex}`);
  // A redirected response cannot be the answer to a request for a page; a new one can.
  await cache.put(SCOPE + path, new Response(bytes, { headers: response.headers }));
}

async function fill(cache) {
  // The cache of the browser may have the file of an older version.
  const load = async (path, digest) => keep(cache, path, digest, await fetch(SCOPE + path, { cache: "no-cache" }));
  await load("offline.json", VERSION);
  const { first } = await digests(cache);
  const loads = await Promise.allSettled(Object.entries(first).map(([path, digest]) => load(path, digest)));
  const failed = loads.find(({ status }) => status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function install() {
  try {
    await fill(await caches.open(CACHE));
  } catch (error) {
    await caches.delete(CACHE);
    throw error;
  }
}

/** The cache, unless somebody has removed it: opening it would make another one, which has no list of files. */
async function opened() {
  if (!(await caches.has(CACHE))) return null;
  const cache = await caches.open(CACHE);
  if (await cache.match(`${SCOPE}offline.json`)) return cache;
  await caches.delete(CACHE);
  return null;
}

async function answer(event, path) {
  const { request } = event;
  // A cache that cannot be read is no cache.
  const cache = await opened().catch(() => null);
  const file = await cache?.match(SCOPE + path).catch(() => undefined);
  if (file !== undefined) return file;
  // A request for a page cannot be sent again with options, its address can.
  const source = request.mode === "navigate" ? request.url : request;
  const [response, { first, later }] = await Promise.all([
    fetch(source, { cache: "no-cache", redirect: request.redirect }),
    digests(cache).catch(() => ({})),
  ]);
  const digest = new Map(Object.entries({ ...first, ...later })).get(path);
  // The response is shown even if it cannot be kept.
  if (digest !== undefined) event.waitUntil(keep(cache, path, digest, response.clone()).catch(() => missed++));
  return response;
}

async function leave() {
  await clear();
  await registration.unregister();
  for (const client of await clients.matchAll({ type: "window" })) client.navigate(client.url);
}

if (CACHE === null) {
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(leave()));
} else {
  addEventListener("install", (event) => event.waitUntil(install()));
  addEventListener("activate", (event) => event.waitUntil(clear().then(() => clients.claim())));
  addEventListener("message", ({ ports: [port] }) => port?.postMessage({ version: VERSION, missed }));
  addEventListener("fetch", (event) => {
    const { method, url } = event.request;
    if (method !== "GET" || !url.startsWith(SCOPE)) return;
    const path = url
      .slice(SCOPE.length)
      .replace(/[?#].*/, "")
      .replace(/(^|\/)index\.html$/, "$1");
    // Another project may be served from this address later. Its other paths are none of this worker's business.
    if (OWN.includes(path.replace(/\/.*/, "/"))) event.respondWith(answer(event, path));
  });
}
