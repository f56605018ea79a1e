import {
  ILayoutRestorer,
  IRouter,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import {
  Clipboard,
  ICommandPalette,
  MainAreaWidget,
  Notification,
  WidgetTracker,
} from "@jupyterlab/apputils";
import { PageConfig } from "@jupyterlab/coreutils";
import { IDocumentManager } from "@jupyterlab/docmanager";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStateDB } from "@jupyterlab/statedb";
import {
  DataClient,
  type Entry,
  type ExplorerHost,
  type LinkView,
  type Place,
} from "@jupyterhub-studios/explorer";
import { PLACE_PATTERN, deepLink, placeIn, withoutPlace } from "./addresses";
import { OPEN_ADDRESS, PREVIEW, addCommands } from "./commands";
import { DataDrive } from "./drive";
import { drivePath } from "./drive-path";
import { lifetimePlugin } from "./lifetime";
import { insertCode } from "./notebook";
import { DataPanel } from "./panel";
import { PreviewPanel } from "./preview";
import sharing from "./sharing";
import { DEFAULTS, readSettings, type Settings } from "./settings";
import { labTransport } from "./transport";

const ID = "@jupyterhub-studios/lab:plugin";

const PLACE = `${ID}:place`;
const DOUBLE_CLICK = 250; // milliseconds

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "Browses buckets and folders in the sidebar.",
  autoStart: true,
  requires: [IDocumentManager, INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer, IRouter, ISettingRegistry, IStateDB],
  activate,
};

export default [plugin, sharing, lifetimePlugin];

async function activate(
  app: JupyterFrontEnd,
  documents: IDocumentManager,
  notebooks: INotebookTracker,
  palette: ICommandPalette | null,
  restorer: ILayoutRestorer | null,
  router: IRouter | null,
  registry: ISettingRegistry | null,
  state: IStateDB | null,
): Promise<void> {
  const role = PageConfig.getOption("dataExplorer");
  if (role === "") return; // nobody answers: the server extension is not there

  let settings: Settings = DEFAULTS;
  const connection = app.serviceManager.serverSettings;
  const client = new DataClient(labTransport(connection));
  // Before anything is restored, which may be a text of it.
  app.serviceManager.contents.addDrive(new DataDrive(client, connection, () => settings.largestText));

  const host: ExplorerHost = {
    ownMachine: role === "machine",
    ...(role === "studio" ? { linksElsewhere: "In a studio, do it on the page “Data” of the Hub" } : {}),
    ...(role === "machine" ? {} : { linksElsewhere: "Links are added and changed on the Hub’s page Data" }),
    workspaces: [],
    deepLink,
    copy: (text) => {
      Clipboard.copyToSystem(text);
      return Promise.resolve();
    },
    notify: (message, kind) => {
      Notification[kind](message, { autoClose: kind === "info" ? 3000 : false });
    },
    openInNotebook: async (code) => {
      await insertCode(app, notebooks, code);
    },
    openInEditor: (link, entry) => {
      previews.never();
      documents.openOrReveal(drivePath({ link: link.id, path: entry.path }), "Editor");
    },
  };
  const previews = new PreviewTabs(app, client, host, restorer);
  const panel = new DataPanel(client, host);
  app.shell.add(panel, "left", { rank: 150, type: "Data" });
  restorer?.add(panel, panel.id);
  addCommands(app, panel, client, palette);
  if (router !== null) followAddresses(app, router, panel);

  const apply = (found: ISettingRegistry.ISettings): void => {
    settings = readSettings(found);
    const inTab = settings.preview === "tab";
    panel.setHost(inTab ? { ...host, openPreview: (link, entry) => previews.soon(link, entry) } : host);
  };
  if (registry !== null) {
    const found = await registry.load(ID);
    apply(found);
    found.changed.connect(apply);
  }
  // Not waited for: JupyterLab is restored only when all of its plugins are there.
  if (state !== null) void rememberPlace(app, panel, state, settings);
}

/** Previews as tabs, one for each file, and there again when JupyterLab is loaded anew. */
class PreviewTabs {
  private readonly tracker = new WidgetTracker<MainAreaWidget<PreviewPanel>>({ namespace: "data-preview" });
  private waiting: number | undefined;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly client: DataClient,
    private readonly host: ExplorerHost,
    restorer: ILayoutRestorer | null,
  ) {
    app.commands.addCommand(PREVIEW, {
      label: "Preview a File of a Data Link",
      execute: (args) => this.open(text(args["link"]), text(args["path"])),
    });
    void restorer?.restore(this.tracker, {
      command: PREVIEW,
      args: ({ content: { file } }) => ({ link: file.link, path: file.path }),
      name: ({ content: { file } }) => `${file.link}:${file.path}`,
    });
  }

  /** Shows a file soon, unless the click for it turns out to be the first half of a double-click. */
  soon(link: LinkView, entry: Entry): void {
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.show(link, entry), DOUBLE_CLICK);
  }

  never(): void {
    clearTimeout(this.waiting);
  }

  private show(link: LinkView, entry: Entry): void {
    const there = this.tracker.find(
      ({ content: { file } }) => file.link === link.id && file.path === entry.path,
    );
    if (there !== undefined) {
      this.app.shell.activateById(there.id);
      return;
    }
    const widget = new MainAreaWidget({
      content: new PreviewPanel(this.client, this.host, link, entry),
    });
    widget.toolbar.hide(); // the preview has buttons of its own
    void this.tracker.add(widget);
    this.app.shell.add(widget, "main", { type: "Data Preview" });
    this.app.shell.activateById(widget.id);
  }

  private async open(linkId: string, path: string): Promise<void> {
    try {
      const [link, entry] = await Promise.all([this.client.link(linkId), this.client.entry(linkId, path)]);
      this.show(link, entry);
    } catch (error) {
      Notification.warning(`“${path}” cannot be shown: ${error instanceof Error ? error.message : ""}`);
    }
  }
}

/** JupyterLab's own address can name a place, see `deepLink`. */
function followAddresses(app: JupyterFrontEnd, router: IRouter, panel: DataPanel): void {
  app.commands.addCommand(OPEN_ADDRESS, {
    execute: (args) => {
      const search = text(args["search"]);
      const place = placeIn(search);
      if (place === null) return;
      router.navigate(`${text(args["path"])}${withoutPlace(search)}`, { skipRouting: true });
      void app.restored.then(() => {
        app.shell.activateById(panel.id);
        panel.goTo(place);
      });
    },
  });
  router.register({ command: OPEN_ADDRESS, pattern: PLACE_PATTERN });
}

/** The panel is where it was, unless an address led elsewhere or the settings say otherwise. */
async function rememberPlace(
  app: JupyterFrontEnd,
  panel: DataPanel,
  state: IStateDB,
  settings: Settings,
): Promise<void> {
  await app.restored;
  const last = settings.start === "last" ? await state.fetch(PLACE) : undefined;
  if (last !== undefined && last !== null && panel.place === null) {
    const { link, path, file } = last as unknown as Place;
    panel.goTo({ link, path, ...(file === undefined ? {} : { file }) });
  }
  panel.moved.connect((_, place) => {
    void (place === null ? state.remove(PLACE) : state.save(PLACE, { ...place }));
  });
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
