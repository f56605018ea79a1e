import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, Notification } from "@jupyterlab/apputils";
import { PageConfig, URLExt } from "@jupyterlab/coreutils";
import { IDocumentManager } from "@jupyterlab/docmanager";
import { ServerConnection } from "@jupyterlab/services";
import { shareIcon } from "../icon";
import { sharingPage, stopWords, type Ending } from "./words";

export const SHARE = "studios:share";

const ASK_PAUSE = 5000; // milliseconds

/**
 * “Share” leads to the studio's page at the Hub: rights are given there, by the person's own sign-in, and nothing in
 * the session could give any. And people inside hear of it before somebody stops the session.
 */
const plugin: JupyterFrontEndPlugin<void> = {
  id: "@jupyterhub-studios/lab:sharing",
  description: "Shares a studio, and tells when somebody stops it.",
  autoStart: true,
  requires: [IDocumentManager],
  optional: [ICommandPalette],
  activate,
};

export default plugin;

function activate(app: JupyterFrontEnd, documents: IDocumentManager, palette: ICommandPalette | null): void {
  const page = PageConfig.getOption("studioPage");
  const own = page !== "" && PageConfig.getOption("hubUser") === PageConfig.getOption("hubServerUser");
  app.commands.addCommand(SHARE, {
    label: "Share",
    caption: "Share This Studio…",
    icon: shareIcon,
    isVisible: () => own,
    isEnabled: () => own,
    execute: () => {
      window.open(sharingPage(page, currentPath(app, documents)), "_blank", "noopener");
    },
  });
  if (page === "") return; // no studio
  if (own) palette?.addItem({ command: SHARE, category: "Studio" });
  void listen(app.serviceManager.serverSettings);
}

/** The open document's path on the server's own disk; null where there is none in front. */
function currentPath(app: JupyterFrontEnd, documents: IDocumentManager): string | null {
  const widget = app.shell.currentWidget;
  const path = widget === null ? undefined : documents.contextForWidget(widget)?.path;
  if (path === undefined || app.serviceManager.contents.driveName(path) !== "") return null;
  return path;
}

/** Asks the gate again and again whether the session is about to be stopped. */
async function listen(settings: ServerConnection.ISettings): Promise<void> {
  const url = URLExt.join(settings.baseUrl, "_studio/ending");
  for (let told = false; !told;) {
    await new Promise((resolve) => setTimeout(resolve, ASK_PAUSE));
    try {
      const answer = await ServerConnection.makeRequest(url, {}, settings);
      if (!answer.ok) continue;
      const words = stopWords((await answer.json()) as Ending);
      if (words === null) continue;
      Notification.warning(words, { autoClose: false });
      told = true;
    } catch {
      // The connection is down, which JupyterLab tells by itself.
    }
  }
}
