/**
 * The service worker: keeps files, so that pages open without a network too. The build writes the list of those that it asks for at once
 * and their version in front of it; others are kept when they are visited. A new version waits until no tab shows the one before, whose
 * files it then removes: a room that an open tab has not loaded yet has another name in the new version.
 */
/* global FILES, VERSION */
const PREFIX = `jarvis-snn ${registration.scope} `;
const CACHE = PREFIX + VERSION;

addEventListener("install", (event) => {
  const files = FILES.map((file) => new Request(file, { cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)));
});

addEventListener("activate", (event) => {
  const old = (key) => key.startsWith(PREFIX) && key !== CACHE;
  const cleared = caches.keys().then((keys) => Promise.all(keys.filter(old).map((key) => caches.delete(key))));
  event.waitUntil(cleared.then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  event.respondWith(
    caches.open(CACHE).then(async (cache) => {
      const kept = await cache.match(request, { ignoreSearch: true });
      if (kept !== undefined) return kept;
      // The cache of the browser may have the file of an older version. A request for a page cannot be sent again with options, its address can.
      const source = request.mode === "navigate" ? request.url : request;
      const response = await fetch(source, { cache: "no-cache", redirect: request.redirect });
      if (response.ok && new URL(request.url).origin === location.origin) await cache.put(request, response.clone());
      return response;
    }),
  );
});
