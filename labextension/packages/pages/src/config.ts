/** What the service's HTML shell tells the pages. Every address starts from here, never from "/". */
export interface Config {
  /** Path of the pages, with the slash at the end: "/services/studios/". */
  base: string;
  /** Path of the API, without a slash at the end. */
  api: string;
  /** Path of the Hub, with the slash at the end. */
  hub: string;
  logout: string;
  user: { name: string; admin: boolean };
}

const withSlash = (path: string): string => (path.endsWith("/") ? path : `${path}/`);
const withoutSlash = (path: string): string => path.replace(/\/+$/, "");

export function readConfig(element: HTMLElement): Config {
  const raw = JSON.parse(element.dataset.config ?? "{}") as Config;
  return { ...raw, base: withSlash(raw.base), api: withoutSlash(raw.api), hub: withSlash(raw.hub) };
}
