import { DataExplorer, useModal, type ExplorerHost, type Place } from "@jupyterhub-studios/explorer";
import { useCallback, useEffect, useId, useMemo, useState, type SyntheticEvent } from "react";
import { createPortal } from "react-dom";
import { useApp } from "../hooks/app";
import { usePolled } from "../hooks/polled";

interface PickerProps {
  /** `title`: of the folder or the link, to name the mount after. */
  onPick: (link: string, path: string, title: string) => void;
  onClose: () => void;
}

/** The Data Explorer in a dialog: where somebody is in it is what gets mounted. */
export function MountPicker({ onPick, onClose }: PickerProps) {
  const { client, config, data } = useApp();
  const dialog = useModal();
  const titleId = useId();
  const [place, setPlace] = useState<Place | null>(null);
  const me = usePolled("me", () => client.me());
  const workspaces = me.data?.groups;
  const host = useMemo<ExplorerHost>(
    () => ({
      ownMachine: false,
      workspaces: workspaces ?? [],
      copy: (text) => navigator.clipboard.writeText(text),
      deepLink: ({ link, path }) =>
        `${location.origin}${config.base}data/${encodeURIComponent(link)}?${new URLSearchParams({ path })}`,
    }),
    [workspaces, config.base],
  );
  // A file is looked at, and the folder that it is in is chosen.
  const onPlace = useCallback((to: Place | null) => setPlace(to), []);
  const link = usePolled(`link ${place?.link ?? ""}`, async (signal) =>
    place === null ? null : data.link(place.link, signal),
  );
  // The mount is named after it: not chosen before it is known, or cannot be.
  const name = link.data?.name ?? (link.problem ? place?.link : undefined);
  const folder = place?.path.split("/").filter(Boolean).at(-1);

  useEffect(() => {
    dialog.current?.querySelector<HTMLElement>("input[type=search]")?.focus();
  }, [dialog]);
  const cancel = (event: SyntheticEvent): void => {
    event.preventDefault();
    onClose();
  };
  // Outside of the form that it is opened from, whose submit must not hear of the explorer's own.
  return createPortal(
    <dialog
      ref={dialog}
      className="st-dialog st-picker"
      aria-labelledby={titleId}
      onCancel={cancel}
      onKeyDown={(event) => event.stopPropagation()}
      onSubmit={(event) => event.stopPropagation()}
    >
      <h2 id={titleId}>Add data</h2>
      <div className="st-picker-explorer">
        <DataExplorer client={data} host={host} place={place} onPlace={onPlace} layout="compact" />
      </div>
      <div className="st-dialog-buttons">
        <span className="st-picker-place" role="status">
          {place === null ? "Open a data link, or a folder in one." : `${name ?? "…"}/${place.path}`}
        </span>
        <button type="button" className="btn btn-outline-secondary" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className="btn btn-primary"
          disabled={name === undefined}
          onClick={() => {
            if (place !== null) onPick(place.link, place.path, folder ?? name ?? "");
          }}
        >
          {folder === undefined ? "Mount this link" : "Mount this folder"}
        </button>
      </div>
    </dialog>,
    document.body,
  );
}
