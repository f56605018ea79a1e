/** The name of our drive: what paths in JupyterLab begin with, before a colon. */
export const DRIVE = "Data";

/** A file: the link's id, and its path below the link, which is any text. */
export interface File {
  link: string;
  path: string;
}

const EMPTY = "%e"; // a name without letters, as in "a//b"; other percent signs are always "%25"

/**
 * JupyterLab's path of a file, "Data:dl-1/folder/name.txt". JupyterLab takes "a//b" for "a/b", so the
 * empty name is written as a sign; names are otherwise what they are, for they are shown.
 */
export function drivePath({ link, path }: File): string {
  const names = path.split("/").map((name) => (name === "" ? EMPTY : name.replaceAll("%", "%25")));
  return `${DRIVE}:${[link, ...names].join("/")}`;
}

/** The file that a path within the drive names; null: none, but the drive or a link. */
export function fileAt(localPath: string): File | null {
  const [link, ...names] = localPath.replace(/^\//, "").split("/");
  if (link === undefined || link === "" || names.length === 0) return null;
  const path = names.map((name) => (name === EMPTY ? "" : name.replaceAll("%25", "%"))).join("/");
  return path === "" ? null : { link, path };
}
