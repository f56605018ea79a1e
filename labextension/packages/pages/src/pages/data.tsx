import { DataExplorer, type ExplorerHost, type Place } from "@jupyterhub-studios/explorer";
import { useCallback, useMemo, useRef } from "react";
import { useApp } from "../hooks/app";
import { usePage } from "../hooks/page";
import { usePolled } from "../hooks/polled";
import { useRouter, type Route } from "../hooks/router";

const NOBODY: string[] = [];

/** The Data Explorer; its place is the page's address: data/<link>?path=…&file=… */
export function DataPage() {
  const { config, client, data } = useApp();
  const { route, navigate } = useRouter();
  const heading = useRef<HTMLHeadingElement>(null);
  usePage("Data", heading);
  const me = usePolled("me", () => client.me());
  const workspaces = me.data?.groups ?? NOBODY;
  const host = useMemo<ExplorerHost>(
    () => ({
      ownMachine: false,
      workspaces,
      copy: (text) => navigator.clipboard.writeText(text),
      deepLink: (place) => location.origin + config.base + addressOf(place),
    }),
    [workspaces, config.base],
  );
  const place = useMemo(() => placeOf(route), [route]);
  const onPlace = useCallback(
    (to: Place | null, { replace }: { replace: boolean }) =>
      navigate(to === null ? "data" : addressOf(to), { replace }),
    [navigate],
  );
  return (
    <>
      <h1 ref={heading} tabIndex={-1} className={place === null ? "st-data-title" : "visually-hidden"}>
        Data
      </h1>
      <div className={place === null ? "st-data st-data-list" : "st-data"}>
        <DataExplorer client={data} host={host} place={place} onPlace={onPlace} />
      </div>
    </>
  );
}

function placeOf({ path, query }: Route): Place | null {
  const link = path.slice("data/".length);
  if (link === "") return null;
  const file = query.get("file");
  return { link, path: query.get("path") ?? "", ...(file === null ? {} : { file }) };
}

function addressOf({ link, path, file }: Place): string {
  const query = new URLSearchParams();
  if (path !== "") query.set("path", path);
  if (file !== undefined) query.set("file", file);
  const search = query.toString();
  return `data/${encodeURIComponent(link)}${search === "" ? "" : `?${search}`}`;
}
