import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";
import { createClient, type Client } from "../api/client";
import type { Config } from "../config";
import { Reach } from "./reach";

interface App {
  config: Config;
  client: Client;
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
    return { config, client: createClient(config, reach.report), reach, announce };
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
