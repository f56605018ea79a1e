import * as React from "react";
import { useExplorer } from "../context";
import { nameOf } from "../paths";
import { accessWord, rightsOf } from "../rights";
import { sentence } from "../text";
import type { Entry, LinkView } from "../types";
import { Button, IconButton } from "../ui/button";
import { Icon } from "../ui/icons";
import type { Command } from "../ui/menu";
import type { Acts } from "./use-commands";
import type { Search } from "./use-search";

interface ToolbarProps {
  link: LinkView;
  path: string;
  filterRef: React.RefObject<HTMLInputElement | null>;
  text: string;
  onText: (text: string) => void;
  search: Search;
  acts: Acts;
  loading: boolean;
  onReload: () => void;
  onUpload: (kind: "files" | "folder") => void;
  onIntoList: () => void;
}

/** The filter of the folder, the search below it, and what can be done with the folder as a whole. */
export function Toolbar(props: ToolbarProps) {
  const { link, path, filterRef, text, onText, search, acts, onReload, onUpload } = props;
  const { openMenu, compact } = useExplorer();
  const rights = rightsOf(link);
  const here: Entry = {
    name: path === "" ? link.name : nameOf(path),
    path,
    kind: "folder",
    size: null,
    modified: null,
    storage_class: null,
    etag: null,
  };
  const menu = (event: React.MouseEvent, label: string, commands: Command[]): void => {
    const box = event.currentTarget.getBoundingClientRect();
    openMenu({ x: box.left, y: box.bottom + 3, label, commands });
  };
  const uploading: Command[] = [
    { id: "files", label: "Files…", icon: "file", run: () => onUpload("files") },
    { id: "folder", label: "A whole folder…", icon: "folder", run: () => onUpload("folder") },
  ];
  const folder = acts
    .menu([here], () => undefined)
    .filter(({ id }) => !["open", "rename", "move", "delete"].includes(id));
  const access = accessWord(link);
  return (
    <div className="dx-toolbar">
      <form
        className="dx-filter"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") search.start(text.trim());
        }}
      >
        <Icon name="search" />
        <input
          ref={filterRef}
          type="search"
          className="dx-input"
          placeholder={
            compact ? "Filter, Enter: search below" : "Filter by beginning; Enter searches all below"
          }
          aria-label="Filter by the beginning of the name; Enter searches in all folders below"
          value={text}
          onChange={(event) => {
            if (search.q !== "") search.close();
            onText(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") {
              event.preventDefault();
              props.onIntoList();
            }
            if (event.key === "Escape" && text !== "") {
              event.preventDefault();
              search.close();
              onText("");
            }
          }}
        />
        {text.trim() !== "" && search.q === "" && (
          <Button type="submit" className="dx-search-below">
            {compact ? "Below" : "Search below"}
          </Button>
        )}
      </form>
      {!compact && (
        <span className={`dx-badge ${access === "Writable" ? "dx-badge-ok" : ""}`} title={sentence(link.why)}>
          <Icon name={access === "Writable" ? "edit" : "lock"} /> {access}
          <span className="dx-sr">: {link.why}</span>
        </span>
      )}
      <div className="dx-toolbar-buttons">
        <IconButton icon={props.loading ? "spin" : "refresh"} label="Load again" onClick={onReload} />
        {(!compact || rights.write === undefined) && (
          <>
            <IconButton icon="folderPlus" label="New folder" reason={rights.write} onClick={acts.newFolder} />
            {compact ? (
              <IconButton
                icon="upload"
                label="Upload"
                aria-haspopup="menu"
                reason={rights.write}
                onClick={(event) => menu(event, "Upload", uploading)}
              />
            ) : (
              <Button
                icon="upload"
                aria-haspopup="menu"
                reason={rights.write}
                onClick={(event) => menu(event, "Upload", uploading)}
              >
                Upload
              </Button>
            )}
          </>
        )}
        <IconButton
          icon="more"
          label="More for this folder"
          aria-haspopup="menu"
          onClick={(event) => menu(event, "This folder", folder)}
        />
      </div>
    </div>
  );
}
