import {
  createContext,
  useCallback,
  useContext,
  useMemo,
  useSyncExternalStore,
  type AnchorHTMLAttributes,
  type MouseEvent,
  type ReactNode,
} from "react";

/** Client-side routing below the service's base path: "", "new", "studios/<id>". */
export interface Route {
  path: string;
  query: URLSearchParams;
  /** What the page before handed over; survives a reload. */
  state: Record<string, unknown>;
}

interface Router {
  base: string;
  route: Route;
  navigate: (to: string, options?: { replace?: boolean; state?: Record<string, unknown> }) => void;
}

const RouterContext = createContext<Router | null>(null);
const CHANGED = "studios:navigated";

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

// One string, because useSyncExternalStore compares snapshots by identity.
const snapshot = (): string =>
  JSON.stringify([location.pathname, location.search, (history.state as unknown) ?? {}]);

function subscribe(tell: () => void): () => void {
  window.addEventListener("popstate", tell);
  window.addEventListener(CHANGED, tell);
  return () => {
    window.removeEventListener("popstate", tell);
    window.removeEventListener(CHANGED, tell);
  };
}

export function RouterProvider({ base, children }: { base: string; children: ReactNode }) {
  const place = useSyncExternalStore(subscribe, snapshot);
  const navigate = useCallback<Router["navigate"]>(
    (to, { replace = false, state = {} } = {}) => {
      history[replace ? "replaceState" : "pushState"](state, "", base + to);
      window.dispatchEvent(new Event(CHANGED));
      if (!replace) window.scrollTo(0, 0);
    },
    [base],
  );
  const router = useMemo(() => {
    const [pathname, search, state] = JSON.parse(place) as [string, string, Record<string, unknown>];
    // Browsers and proxies quote paths differently ("@" or "%40"): compare them unquoted.
    const [path, root] = [decoded(pathname), decoded(base)];
    const below = path.startsWith(root) ? path.slice(root.length) : "";
    const route = { path: below.replace(/\/+$/, ""), query: new URLSearchParams(search), state };
    return { base, route, navigate };
  }, [place, base, navigate]);
  return <RouterContext value={router}>{children}</RouterContext>;
}

export function useRouter(): Router {
  const router = useContext(RouterContext);
  if (router === null) throw new Error("useRouter outside of RouterProvider");
  return router;
}

/** Changes the query of the page without a new entry in the history. */
export function useSetQuery(): (changes: Record<string, string | null>) => void {
  const { route, navigate } = useRouter();
  return useCallback(
    (changes) => {
      const query = new URLSearchParams(route.query);
      for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === "") query.delete(name);
        else query.set(name, value);
      }
      const search = query.toString();
      const path = route.path.split("/").map(encodeURIComponent).join("/");
      navigate(search === "" ? path : `${path}?${search}`, { replace: true, state: route.state });
    },
    [route, navigate],
  );
}

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { to: string };

export function Link({ to, onClick, ...rest }: LinkProps) {
  const { base, navigate } = useRouter();
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0;
    if (event.defaultPrevented || elsewhere) return;
    event.preventDefault();
    navigate(to);
  };
  return <a {...rest} href={base + to} onClick={follow} />;
}
