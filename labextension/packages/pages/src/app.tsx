import { Layout } from "./components/layout";
import type { Config } from "./config";
import { AppProvider } from "./hooks/app";
import { RouterProvider, useRouter } from "./hooks/router";
import { AdminPage } from "./pages/admin/page";
import { DataPage } from "./pages/data";
import { ListPage } from "./pages/list";
import { NewPage } from "./pages/new";
import { NotFound } from "./pages/not-found";
import { StudioPage } from "./pages/studio/page";

export function App({ config }: { config: Config }) {
  return (
    <AppProvider config={config}>
      <RouterProvider base={config.base}>
        <Layout>
          <Page />
        </Layout>
      </RouterProvider>
    </AppProvider>
  );
}

function Page() {
  const { route } = useRouter();
  const studio = /^studios\/([^/]+)$/.exec(route.path)?.[1];
  if (studio !== undefined) return <StudioPage key={studio} id={studio} />;
  if (route.path === "data" || route.path.startsWith("data/")) return <DataPage />;
  if (route.path === "new") return <NewPage key={route.query.get("from_checkpoint") ?? ""} />;
  if (route.path === "admin") return <AdminPage />;
  if (route.path === "") return <ListPage />;
  return <NotFound />;
}
