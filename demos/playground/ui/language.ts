/**
 * WebKitGTK under the locale C says that its user speaks "C", which is no language: `Intl` refuses it, and with it each
 * library that formats numbers as the user likes them. Such a browser speaks English here.
 */
export function ensureLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, "language", { value: "en", configurable: true });
  }
}
