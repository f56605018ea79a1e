import type { DataClient, ExplorerCommands } from "@jupyterhub-studios/explorer";
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Clipboard, InputDialog, Notification, type ICommandPalette } from "@jupyterlab/apputils";
import { deepLink, findPlace, storeAddress } from "./addresses";
import type { DataPanel } from "./panel";

export const OPEN = "data-explorer:open";
export const GO_TO = "data-explorer:go-to";
export const PREVIEW = "data-explorer:preview";
export const OPEN_ADDRESS = "data-explorer:open-address";

const CATEGORY = "Data";

/** What the palette offers beside OPEN and GO_TO; each is what the panel itself can do at the moment. */
const ACTIONS: [string, string, keyof ExplorerCommands][] = [
  ["data-explorer:refresh", "Refresh the Data Panel", "refresh"],
  ["data-explorer:filter", "Filter the Data Panel", "focusFilter"],
  ["data-explorer:up", "Go to the Parent Folder", "up"],
  ["data-explorer:add-link", "Add a Data Link…", "addLink"],
  ["data-explorer:upload", "Upload to This Folder…", "upload"],
  ["data-explorer:new-folder", "New Folder…", "newFolder"],
];

export function addCommands(
  app: JupyterFrontEnd,
  panel: DataPanel,
  client: DataClient,
  palette: ICommandPalette | null,
): void {
  const { commands } = app;
  const open = (): void => app.shell.activateById(panel.id);
  const inPalette = (command: string): void => void palette?.addItem({ command, category: CATEGORY });

  commands.addCommand(OPEN, { label: "Open the Data Explorer", execute: open });
  inPalette(OPEN);
  for (const [command, label, action] of ACTIONS) {
    commands.addCommand(command, {
      label,
      isEnabled: () => panel.actions?.[action] !== undefined,
      execute: () => {
        open();
        panel.actions?.[action]?.();
      },
    });
    inPalette(command);
  }
  commands.addCommand(GO_TO, {
    label: "Go to a Place in the Data…",
    execute: (args) => goTo(panel, client, typeof args["path"] === "string" ? args["path"] : null, open),
  });
  inPalette(GO_TO);
  addCopying(app, panel, client, inPalette);
  panel.changed.connect(() => {
    for (const [command] of ACTIONS) commands.notifyCommandChanged(command);
  });
}

function addCopying(
  { commands }: JupyterFrontEnd,
  panel: DataPanel,
  client: DataClient,
  inPalette: (command: string) => void,
): void {
  const isEnabled = (): boolean => panel.place !== null;
  commands.addCommand("data-explorer:copy-link", {
    label: "Copy the Link to This Place",
    isEnabled,
    execute: () => panel.place !== null && copy(deepLink(panel.place)),
  });
  commands.addCommand("data-explorer:copy-address", {
    label: "Copy the Address in the Store",
    isEnabled,
    execute: async () => {
      const place = panel.place;
      if (place !== null) copy(storeAddress(await client.link(place.link), place));
    },
  });
  for (const command of ["data-explorer:copy-link", "data-explorer:copy-address"]) inPalette(command);
  panel.moved.connect(() => commands.notifyCommandChanged());
}

function copy(text: string): void {
  Clipboard.copyToSystem(text);
  Notification.info("Copied", { autoClose: 2000 });
}

async function goTo(
  panel: DataPanel,
  client: DataClient,
  given: string | null,
  open: () => void,
): Promise<void> {
  const text = given ?? (await askForPlace());
  if (text === null) return;
  const place = findPlace(text, await client.links({ hidden: "all" }));
  if (place === null) {
    Notification.error(`No data link leads to “${text}”. Add one in the Data panel.`);
    return;
  }
  open();
  panel.goTo(place);
}

async function askForPlace(): Promise<string | null> {
  const { value, button } = await InputDialog.getText({
    title: "Go to",
    label: "An address such as s3://bucket/folder/, or a data link's name and a path",
    okLabel: "Go",
  });
  return button.accept && value !== null && value.trim() !== "" ? value : null;
}
