/** The way from this page to another one of the site, by its path from the root. */
export const addressIn = (path: string): string => (document.body.dataset.root ?? "./") + path;
