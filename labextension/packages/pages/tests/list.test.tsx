import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { visit } from "./render";
import { BASE, CONFIG, Refusal, Service, checkpoint, session, studio } from "./server";

const list = (...items: unknown[]) => ({ items, next: null });

test("a row tells state in words, template and age of what is saved", async () => {
  new Service().on(
    "GET /studios",
    list(studio({ state: "running", may: ["open", "stop"], saved: checkpoint() })),
  );
  visit("");
  const row = (await screen.findByRole("link", { name: "Atlas" })).closest("li")!;
  expect(within(row).getByText("Running")).toBeVisible();
  expect(row).toHaveTextContent("Saved 3 min ago · 120 MB");
  await waitFor(() => expect(row).toHaveTextContent("JupyterLab"));
  expect(within(row).getByRole("link", { name: "Open Atlas" })).toHaveAttribute(
    "href",
    "/@/space%20word/user/alpha/atlas/lab",
  );
});

test("nobody without a studio is left without a way on", async () => {
  new Service().on("GET /studios", list());
  const { user } = visit("");
  expect(await screen.findByRole("heading", { name: "You have no studio yet" })).toBeVisible();
  await user.click(screen.getByRole("link", { name: "New studio" }));
  expect(await screen.findByRole("heading", { name: "New studio", level: 1 })).toHaveFocus();
  expect(location.pathname).toBe(`${BASE}new`);
});

test("starting from the row asks the service with the XSRF token and shows the new state", async () => {
  let current = studio();
  const service = new Service()
    .on("GET /studios", () => list(current))
    .on("POST /studios/st-1/start", () => {
      current = studio({ state: "starting", may: ["stop"], session: session({ state: "starting" }) });
      return current;
    });
  const { user } = visit("");
  await user.click(await screen.findByRole("button", { name: "Start Atlas" }));
  expect(await screen.findByRole("button", { name: "Cancel the start of Atlas" })).toBeVisible();
  expect(service.find("POST", "/studios/st-1/start")?.headers.get("X-XSRFToken")).toBe("2|token");
  await waitFor(() =>
    expect(screen.getAllByRole("status").map((s) => s.textContent)).toContain("Atlas: starting"),
  );
});

test("a refusal is told as what, why and what to do", async () => {
  new Service().on("GET /studios", list(studio())).on(
    "POST /studios/st-1/start",
    new Refusal({
      status: 502,
      title: "The Hub did not start it",
      detail: "it restarts",
      action: "Try again",
    }),
  );
  const { user } = visit("");
  await user.click(await screen.findByRole("button", { name: "Start Atlas" }));
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("The Hub did not start it.It restarts.Try again.");
});

test("filters go to the service and into the address", async () => {
  const service = new Service().on("GET /studios", list(studio()));
  const { user } = visit("");
  await user.type(await screen.findByRole("searchbox", { name: "Filter by name" }), "atl");
  await user.selectOptions(screen.getByRole("combobox", { name: "Filter by state" }), "Stopped");
  await waitFor(() => {
    const asked = service.find("GET", "/studios")!;
    expect([asked.query.get("q"), asked.query.get("state")]).toEqual(["atl", "stopped"]);
  });
  expect(location.search).toBe("?q=atl&state=stopped");
});

test("only administrators may look at everybody's, and then see owners", async () => {
  const service = new Service().on("GET /studios", list(studio({ owner: "beta" })));
  const { user, unmount } = visit("");
  await screen.findByRole("link", { name: "Atlas" });
  expect(screen.queryByRole("switch", { name: "Everybody’s" })).toBeNull();
  unmount();

  visit("", { ...CONFIG, user: { name: "demo", admin: true } });
  await user.click(await screen.findByRole("switch", { name: "Everybody’s" }));
  await waitFor(() => expect(service.find("GET", "/studios")?.query.get("owner")).toBe("*"));
  expect(await screen.findByText(/beta/)).toBeVisible();
});

test("more pages are fetched with the cursor of the page before", async () => {
  const service = new Service().on("GET /studios", ({ query }: { query: URLSearchParams }) =>
    query.get("after") === "c2"
      ? list(studio({ id: "st-2", name: "Second" }))
      : { items: [studio()], next: "c2" },
  );
  const { user } = visit("");
  await user.click(await screen.findByRole("button", { name: "Show more" }));
  expect(await screen.findByRole("link", { name: "Second" })).toBeVisible();
  expect(screen.getByRole("link", { name: "Atlas" })).toBeVisible();
  expect(service.asked.some((asked) => asked.query.get("after") === "c2")).toBe(true);
});

test("while the service is away a banner says so, and trying again brings the list", async () => {
  const service = new Service().on("GET /studios", list(studio()));
  service.down = true;
  const { user } = visit("");
  expect(await screen.findByText("The studios service cannot be reached")).toBeVisible();
  service.down = false;
  await user.click(screen.getByRole("button", { name: "Try again now" }));
  expect(await screen.findByRole("link", { name: "Atlas" })).toBeVisible();
  await waitFor(() => expect(screen.queryByText("The studios service cannot be reached")).toBeNull());
});

test("an ended sign-in offers to sign in again", async () => {
  new Service().on("GET /studios", new Refusal({ status: 401, title: "no" }));
  visit("");
  expect(await screen.findByRole("button", { name: "Sign in again" })).toBeVisible();
});
