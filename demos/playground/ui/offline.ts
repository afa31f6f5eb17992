/** The service worker of the page. */
import { addressIn } from "./site.ts";

/** Whether the page is served for a look, as its body says. Such a page has no worker, which would outlast it at its address. */
const isLook = (): boolean => "look" in document.body.dataset;

/** Registers the service worker. A page for a look ends the worker that an earlier build has left, and removes its files. */
export async function serveOffline(): Promise<void> {
  try {
    const { serviceWorker } = navigator;
    const script = new URL(addressIn("offline.js"), location.href).href;
    if (!isLook()) {
      await serviceWorker.register(script);
      return;
    }
    const left = await serviceWorker.getRegistration(script);
    if (left === undefined || (left.active ?? left.waiting ?? left.installing)?.scriptURL !== script) return;
    await left.unregister();
    const names = await caches.keys();
    const ours = names.filter((name) => name.startsWith(`jarvis-snn ${left.scope} `));
    await Promise.all(ours.map((name) => caches.delete(name)));
  } catch {
    // There is no service worker without HTTPS, nor where the reader forbids site data: the page lives without.
  }
}
