import type { ISettingRegistry } from "@jupyterlab/settingregistry";

/** What the settings editor offers, with the schema's own defaults until it has been read. */
export interface Settings {
  start: "last" | "links";
  preview: "panel" | "tab";
  largestText: number;
}

const MEGABYTE = 1_000_000;

export const DEFAULTS: Settings = { start: "last", preview: "tab", largestText: 10 * MEGABYTE };

export function readSettings(found: ISettingRegistry.ISettings): Settings {
  const all = found.composite as { start?: string; preview?: string; largestText?: number };
  return {
    start: all.start === "links" ? "links" : "last",
    preview: all.preview === "panel" ? "panel" : "tab",
    largestText: (all.largestText ?? 10) * MEGABYTE,
  };
}
