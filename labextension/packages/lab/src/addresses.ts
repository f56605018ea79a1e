import type { LinkView, Place } from "@jupyterhub-studios/explorer";
import { PageConfig, URLExt } from "@jupyterlab/coreutils";

const LINK = "data-link";
const PATH = "data-path";
const FILE = "data-file";

/** Matches JupyterLab's addresses that lead to a place. */
export const PLACE_PATTERN = new RegExp(`[?&]${LINK}=`);

/**
 * The absolute address of a place. In a studio that is the service's own page, which opens for every colleague with
 * access whether this studio runs or not; elsewhere it is this JupyterLab.
 */
export function deepLink(place: Place): string {
  const page = new URL(window.location.href);
  if (PageConfig.getOption("dataExplorer") === "studio") {
    const hub = PageConfig.getOption("hubPrefix");
    const service = URLExt.join(hub, "..", "services/studios/data", encodeURIComponent(place.link));
    return page.origin + service + queryOf({ path: place.path, file: place.file ?? "" });
  }
  const lab = URLExt.join(PageConfig.getBaseUrl(), "lab");
  const address = new URL(lab, page.origin);
  return address.href + queryOf({ [LINK]: place.link, [PATH]: place.path, [FILE]: place.file ?? "" });
}

function queryOf(values: Record<string, string>): string {
  const given = Object.entries(values).filter(([, value]) => value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

/** The place that an address of this JupyterLab leads to. */
export function placeIn(search: string): Place | null {
  const values = new URLSearchParams(search);
  const link = values.get(LINK);
  if (link === null || link === "") return null;
  const file = values.get(FILE);
  return { link, path: values.get(PATH) ?? "", ...(file === null ? {} : { file }) };
}

/** The address without a place, so that loading the page again does not lead back to it. */
export function withoutPlace(search: string): string {
  const values = new URLSearchParams(search);
  for (const name of [LINK, PATH, FILE]) values.delete(name);
  const rest = values.toString();
  return rest === "" ? "" : `?${rest}`;
}

/** What people write to name a place: the address in the store, or a link's name with a path below it. */
export function findPlace(text: string, links: LinkView[]): Place | null {
  const wanted = text.trim();
  const byLength = [...links].sort((a, b) => b.url.length - a.url.length);
  for (const link of byLength) {
    const root = link.url.endsWith("/") ? link.url : `${link.url}/`;
    if (wanted === link.url || wanted.startsWith(root)) return at(link, wanted.slice(root.length));
  }
  const named = links.find((link) => wanted === link.name || wanted.startsWith(`${link.name}/`));
  return named === undefined ? null : at(named, wanted.slice(named.name.length + 1));
}

function at(link: LinkView, path: string): Place {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return { link: link.id, path: folder, ...(folder === path ? {} : { file: path }) };
}

/** The address of a place in its store: "s3://bucket/prefix/path". */
export function storeAddress(link: LinkView, place: Place): string {
  const root = link.url.endsWith("/") ? link.url : `${link.url}/`;
  return root + (place.file ?? place.path);
}
