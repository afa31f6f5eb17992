/** The way from this page to another one of the site, by its path from the root. */
export const addressIn = (path: string): string => (document.body.dataset.root ?? "./") + path;

/** The digits that figures learn, from the root of the site. */
export const DIGITS = "assets/digits.bin";
