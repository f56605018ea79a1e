/**
 * The Data Explorer as React components (React 18 and 19), for the pages of the service and for JupyterLab.
 *
 *     import { DataClient, DataExplorer } from "@jupyterhub-studios/explorer";
 *     import "@jupyterhub-studios/explorer/style/index.css";
 *     import "@jupyterhub-studios/explorer/style/hub.css";      // or style/lab.css: where the colours come from
 *
 *     const client = new DataClient({ base, request });         // Transport in client.ts
 *     <DataExplorer client={client} host={host} place={place} onPlace={setPlace} layout="compact" />
 *
 * `place` is controlled by the host: null is the list of links, `{ link, path, file }` a folder of a link and the
 * file that is previewed. `host` (ExplorerHost in host.ts) is what the surroundings do: copy, deep links, open in
 * a notebook or an editor. `onCommands` gives what a command palette can call on the shown explorer.
 * `<FilePreview client host link entry />` is the preview alone, for a tab of its own.
 *
 * The explorer fills its parent, which must have a height. Class names start with "dx-". The package is compiled
 * with React.createElement, so "react" and "react-dom" are all it asks of the host's React.
 */

export { DataClient, type LinkQuery, type PreviewQuery, type Transport } from "./client";
export { DataExplorer } from "./explorer";
export { FilePreview, type FilePreviewProps } from "./preview/file-preview";
export { useAction } from "./hooks/use-action";
export { useRested } from "./hooks/use-load";
export { useModal } from "./hooks/use-modal";
export type { DataExplorerProps, ExplorerCommands, ExplorerHost, Place } from "./host";
export { ProblemError, problemOf, toProblem } from "./problems";
export { count, dateTime, sentence, size } from "./text";
export * from "./types";
export { SHARED_SHAPES } from "./ui/shapes";
