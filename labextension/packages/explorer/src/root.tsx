import * as React from "react";
import type { DataClient } from "./client";
import { ExplorerContext, type Explorer } from "./context";
import type { ExplorerHost } from "./host";
import { Uploads } from "./transfers/uploads";
import { Menu, type MenuAt } from "./ui/menu";

interface RootProps {
  client: DataClient;
  host: ExplorerHost;
  compact: boolean;
  children: React.ReactNode;
}

type Ask = (close: () => void) => React.ReactNode;

/** What every part of the explorer finds around it: the client, the host, one menu, dialogs, words in passing. */
export function ExplorerRoot({ client, host, compact, children }: RootProps) {
  const [menu, setMenu] = React.useState<MenuAt>();
  const [asked, setAsked] = React.useState<{ id: number; dialog: Ask }[]>([]);
  const [said, setSaid] = React.useState<{ message: string; kind: "info" | "error" }>();
  const uploads = React.useMemo(() => new Uploads(client), [client]);
  const next = React.useRef(1);

  const latest = React.useRef(host);
  React.useEffect(() => {
    latest.current = host;
  });
  const notify = React.useCallback<Explorer["notify"]>((message, kind = "info") => {
    if (latest.current.notify !== undefined) latest.current.notify(message, kind);
    else setSaid({ message, kind });
  }, []);
  React.useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), said.kind === "error" ? 10_000 : 3000);
    return () => clearTimeout(timer);
  }, [said]);
  const ask = React.useCallback((dialog: Ask) => {
    const id = next.current++;
    setAsked((old) => [...old, { id, dialog }]);
  }, []);
  const closeMenu = React.useCallback(() => setMenu(undefined), []);

  const explorer = React.useMemo<Explorer>(
    () => ({ client, host, compact, uploads, notify, openMenu: setMenu, ask }),
    [client, host, compact, uploads, notify, ask],
  );
  return (
    <ExplorerContext.Provider value={explorer}>
      <div className={`dx-root ${compact ? "dx-compact" : "dx-wide"}`}>
        {children}
        {asked.map(({ id, dialog }) => (
          <React.Fragment key={id}>
            {dialog(() => setAsked((old) => old.filter((one) => one.id !== id)))}
          </React.Fragment>
        ))}
        {menu !== undefined && <Menu at={menu} onClose={closeMenu} />}
        <div
          className={`dx-toast ${said === undefined ? "dx-sr" : `dx-toast-${said.kind}`}`}
          role="status"
          aria-live="polite"
        >
          {said?.message}
        </div>
      </div>
    </ExplorerContext.Provider>
  );
}
