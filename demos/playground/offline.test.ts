/** The service worker in a context with caches of its own, of which somebody removes one at the worst moment. */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";

const SCOPE = "https://example.org/site/";
const LIST = JSON.stringify({ first: {}, later: {} });

/** Caches of the platform, as far as the worker uses them; `opening` is called before each opens. */
function cachesOf(opening: () => void) {
  const all = new Map<string, Map<string, string>>();
  return {
    all,
    keys: async () => [...all.keys()],
    has: async (name: string) => all.has(name),
    delete: async (name: string) => all.delete(name),
    async open(name: string) {
      opening();
      const files = all.get(name) ?? new Map<string, string>();
      all.set(name, files);
      const match = async (url: string) => (files.has(url) ? new Response(files.get(url)) : undefined);
      return { match, put: async (url: string, response: Response) => void files.set(url, await response.text()) };
    },
  };
}

/** Lets the worker answer a request for a page; gives the text of the answer, and the caches that are left. */
async function answered(opening: (caches: ReturnType<typeof cachesOf>) => void) {
  const caches = cachesOf(() => opening(caches));
  caches.all.set(`jarvis-snn ${SCOPE} first`, new Map([[`${SCOPE}offline.json`, LIST]]));
  const listeners = new Map<string, (event: object) => void>();
  const context = createContext({
    ...{ caches, Response, URL, Map, crypto, OWN: ["docs/"], VERSION: "first" },
    registration: { scope: SCOPE },
    fetch: async () => new Response("the page"),
    addEventListener: (name: string, listener: (event: object) => void) => listeners.set(name, listener),
  });
  runInContext(readFileSync(new URL("offline.js", import.meta.url), "utf8"), context);
  const answer = await new Promise<Response>((tell) =>
    listeners.get("fetch")?.({
      request: { method: "GET", mode: "navigate", url: `${SCOPE}docs/page.html`, redirect: "follow" },
      respondWith: tell,
      waitUntil() {},
    }),
  );
  return { text: await answer.text(), left: await caches.keys() };
}

test("offline: a page that is not kept comes from the network, and the cache remains", async () => {
  expect(await answered(() => {})).toEqual({ text: "the page", left: [`jarvis-snn ${SCOPE} first`] });
});

test("offline: where somebody removes the cache just before it is opened, none is left", async () => {
  expect(await answered((caches) => caches.all.clear())).toEqual({ text: "the page", left: [] });
});
