import { DataClient } from "@jupyterhub-studios/explorer";
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { createClient, createTransport, type Client } from "../api/client";
import type { Config } from "../config";
import { Reach } from "./reach";

interface App {
  config: Config;
  client: Client;
  data: DataClient;
  reach: Reach;
  /** Has screen readers say a change that the page shows elsewhere. */
  announce: (text: string) => void;
}

const AppContext = createContext<App | null>(null);

export function AppProvider({ config, children }: { config: Config; children: ReactNode }) {
  const [said, setSaid] = useState("");
  const announce = useCallback((text: string) => setSaid(text), []);
  const app = useMemo(() => {
    const reach = new Reach();
    const transport = createTransport(config, reach.report);
    return { config, client: createClient(transport), data: new DataClient(transport), reach, announce };
  }, [config, announce]);
  return (
    <AppContext value={app}>
      {children}
      <div className="visually-hidden" role="status" aria-live="polite">
        {said}
      </div>
    </AppContext>
  );
}

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === null) throw new Error("useApp outside of AppProvider");
  return app;
}
