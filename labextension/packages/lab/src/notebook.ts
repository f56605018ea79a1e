import type { JupyterFrontEnd } from "@jupyterlab/application";
import { NotebookActions, type INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";

/** Puts code into a cell of the notebook that is in use, below the selected one; makes a notebook where there is none. */
export async function insertCode(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  code: string,
): Promise<NotebookPanel> {
  const open = tracker.currentWidget;
  const panel = open !== null && !open.isDisposed ? open : await newNotebook(app);
  await panel.context.ready;
  const notebook = panel.content;
  const selected = notebook.activeCell;
  const usable = selected?.model.type === "code" && selected.model.sharedModel.getSource().trim() === "";
  if (!usable) NotebookActions.insertBelow(notebook);
  const cell = notebook.activeCell;
  if (cell === null) throw new Error("The notebook has no cell to write to.");
  if (cell.model.type !== "code") NotebookActions.changeCellType(notebook, "code");
  notebook.activeCell?.model.sharedModel.setSource(code);
  app.shell.activateById(panel.id);
  return panel;
}

/** With a Python kernel, the server's own choice if that is one, so that nobody is asked for it. */
async function newNotebook(app: JupyterFrontEnd): Promise<NotebookPanel> {
  const { kernelspecs } = app.serviceManager;
  await kernelspecs.ready;
  const known = Object.values(kernelspecs.specs?.kernelspecs ?? {}).filter((spec) => spec !== undefined);
  const python = known.filter((spec) => spec.language === "python");
  const kernel = python.find((spec) => spec.name === kernelspecs.specs?.default) ?? python[0];
  const made: unknown = await app.commands.execute("notebook:create-new", {
    activate: true,
    ...(kernel === undefined ? {} : { kernelName: kernel.name }),
  });
  return made as NotebookPanel;
}
