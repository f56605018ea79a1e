import * as React from "react";
import { useExplorer, type Explorer } from "../context";
import { DeleteDialog } from "../dialogs/delete";
import { MoveDialog } from "../dialogs/move";
import { PresignDialog } from "../dialogs/presign";
import { NewFolderDialog, RenameDialog } from "../dialogs/rename";
import { SnippetsDialog } from "../dialogs/snippets";
import { TotalDialog } from "../dialogs/total";
import type { Listing } from "../hooks/use-listing";
import { AddLink } from "../links/add-link";
import { addressOf, nameOf } from "../paths";
import { ProblemError, toProblem } from "../problems";
import { rightsOf } from "../rights";
import { sentence } from "../text";
import type { Entry, LinkView } from "../types";
import type { Command } from "../ui/menu";

export interface Acts {
  download: (entries: Entry[]) => Promise<void>;
  copyPath: (entry: Entry) => void;
  snippets: (entry: Entry) => void;
  notebook: (entry: Entry) => Promise<void>;
  total: (entry: Entry) => void;
  rename: (entry: Entry) => void;
  move: (entries: Entry[]) => void;
  remove: (entries: Entry[]) => void;
  newFolder: () => void;
  /** Makes a folder a data link of its own. */
  keep: (folder: Entry) => void;
  /** All of it as the lines of a menu. */
  menu: (entries: Entry[], open: (entry: Entry) => void) => Command[];
}

/** What can be done with the entries of a folder; what may not be done stays in the menu, with the reason. */
export function useActs(
  link: LinkView,
  path: string,
  listing: Pick<Listing, "upsert" | "remove" | "reload">,
): Acts {
  const explorer = useExplorer();
  const { client, host, ask, notify } = explorer;
  const rights = rightsOf(link);

  const acts: Omit<Acts, "menu"> = {
    download: (entries) => download(explorer, link, entries),
    copyPath: (entry) => void host.copy(addressOf(link, entry.path)).then(() => notify("Path copied")),
    snippets: (entry) =>
      ask((close) => <SnippetsDialog link={link} path={entry.path} name={entry.name} onClose={close} />),
    notebook: async (entry) => {
      try {
        const found = await client.snippets(link.id, entry.path);
        const code =
          found.find((one) => one.tool === "pandas") ?? found.find((one) => one.language === "python");
        if (code !== undefined) await host.openInNotebook?.(code.code);
        else notify("There is no Python code for this place", "error");
      } catch (error) {
        notify(told(error), "error");
      }
    },
    total: (entry) =>
      ask((close) => <TotalDialog link={link} path={entry.path} name={entry.name} onClose={close} />),
    rename: (entry) =>
      ask((close) => (
        <RenameDialog
          link={link}
          entry={entry}
          onClose={close}
          onBroken={listing.reload}
          onRenamed={(renamed) => {
            listing.remove(new Set([entry.path]));
            listing.upsert([renamed]);
          }}
        />
      )),
    move: (entries) =>
      ask((close) => (
        <MoveDialog
          link={link}
          entries={entries}
          from={path}
          onClose={close}
          onMoved={(whole) => gone(entries, whole, listing)}
        />
      )),
    remove: (entries) =>
      ask((close) => (
        <DeleteDialog
          link={link}
          entries={entries}
          onClose={close}
          onDeleted={(whole) => gone(entries, whole, listing)}
        />
      )),
    newFolder: () =>
      ask((close) => (
        <NewFolderDialog
          link={link}
          path={path}
          onClose={close}
          onMade={(entry) => listing.upsert([entry])}
        />
      )),
    keep: (folder) =>
      ask((close) => (
        <AddLink
          from={{ url: addressOf(link, folder.path), credential: link.credential }}
          onClose={close}
          onAdded={() => {
            close();
            notify("Saved among your data links");
          }}
        />
      )),
  };

  const menu: Acts["menu"] = (entries, open) => {
    const [first] = entries;
    if (first === undefined) return [];
    const one = entries.length === 1;
    const commands: Command[] = [];
    const { openInEditor, openInNotebook, deepLink } = host;
    if (one) {
      commands.push({
        id: "open",
        label: first.kind === "folder" ? "Open" : "Preview",
        icon: first.kind === "folder" ? "folder" : "shown",
        keys: "Enter",
        run: () => open(first),
      });
      if (openInEditor !== undefined && first.kind === "file")
        commands.push({
          id: "editor",
          label: "Open in the editor",
          icon: "text",
          run: () => void openInEditor(link, first),
        });
      if (openInNotebook !== undefined)
        commands.push({
          id: "notebook",
          label: "Open in notebook",
          icon: "notebook",
          run: () => void acts.notebook(first),
        });
    }
    commands.push({
      id: "download",
      label: one && first.kind === "file" ? "Download" : "Download as zip",
      icon: "download",
      reason: rights.download,
      apart: one,
      run: () => void acts.download(entries),
    });
    if (one) {
      commands.push(
        { id: "code", label: "Download with code…", icon: "code", run: () => acts.snippets(first) },
        {
          id: "copy",
          label: "Copy the path",
          icon: "copy",
          apart: true,
          run: () => acts.copyPath(first),
        },
      );
      if (deepLink !== undefined)
        commands.push({
          id: "deep",
          label: "Copy a link to this place",
          icon: "link",
          run: () => {
            const place =
              first.kind === "folder"
                ? { link: link.id, path: first.path }
                : { link: link.id, path: folderOf(first), file: first.path };
            void host.copy(deepLink(place)).then(() => notify("Link copied: it works for who has access"));
          },
        });
      if (first.kind === "file")
        commands.push({
          id: "presign",
          label: "Link that expires…",
          icon: "clock",
          reason: rights.download,
          run: () => ask((close) => <PresignDialog link={link} entry={first} onClose={close} />),
        });
      else
        commands.push({
          id: "total",
          label: "Size of the folder…",
          icon: "sum",
          run: () => acts.total(first),
        });
      if (first.kind === "folder")
        commands.push({
          id: "link",
          label: "Save as a data link…",
          icon: "plus",
          reason: host.linksElsewhere ?? othersCredential(link),
          run: () => acts.keep(first),
        });
      commands.push({
        id: "rename",
        label: "Rename…",
        icon: "edit",
        keys: "F2",
        reason: rights.write,
        apart: true,
        run: () => acts.rename(first),
      });
    }
    commands.push(
      {
        id: "move",
        label: "Move…",
        icon: "move",
        reason: rights.write,
        apart: !one,
        run: () => acts.move(entries),
      },
      {
        id: "delete",
        label: "Delete…",
        icon: "trash",
        keys: "Del",
        danger: true,
        reason: rights.write,
        run: () => acts.remove(entries),
      },
    );
    return commands;
  };
  return { ...acts, menu };
}

/** Why nothing can be made of a link that is reached with somebody else's credential. */
const othersCredential = (link: LinkView): string | undefined =>
  link.credential === null || link.may_edit || link.owner === null
    ? undefined
    : `It is reached with a credential of ${link.owner}`;

const folderOf = (entry: Entry): string => entry.path.slice(0, entry.path.length - entry.name.length);

const told = (error: unknown): string => {
  const problem = toProblem(error);
  return `${sentence(problem.title)} ${sentence(problem.detail)}`;
};

function gone(entries: Entry[], whole: boolean, listing: Pick<Listing, "remove" | "reload">): void {
  if (whole) listing.remove(new Set(entries.map((entry) => entry.path)));
  else listing.reload();
}

/** One file as it is; anything else as a zip. A zip beyond the administrator's cap becomes code to copy. */
async function download(explorer: Explorer, link: LinkView, entries: Entry[]): Promise<void> {
  const { client, ask, notify } = explorer;
  const [first] = entries;
  if (first === undefined) return;
  try {
    const single = entries.length === 1 && first.kind === "file";
    if (!single) notify("Preparing the zip…");
    const url = single
      ? await client.downloadUrl(link.id, first.path)
      : await client.archiveUrl(
          link.id,
          entries.map((entry) => entry.path),
        );
    save(url, single ? first.name : "");
    if (!single) notify("The zip is among your browser’s downloads");
  } catch (error) {
    if (error instanceof ProblemError && error.problem.status === 413) {
      const folder = entries.length === 1 ? first.path : folderOf(first);
      const name = entries.length === 1 ? first.name : nameOf(folder) || link.name;
      ask((close) => (
        <SnippetsDialog link={link} path={folder} name={name} because={error.problem} onClose={close} />
      ));
    } else notify(told(error), "error");
  }
}

function save(url: string, name: string): void {
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
