import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { expect, test, vi } from "vitest";
import type { Share, ShareLink, Studio } from "../src/api/types";
import { visit } from "./render";
import { Refusal, Service, ago, session, studio } from "./server";

const shared = (people: string[] = []): Studio =>
  studio({ state: "running", may: ["open", "stop", "edit", "share"], session: session({ people }) });

const LINK: ShareLink = {
  id: "sl-1",
  studio_id: "st-1",
  url: "/@/space%20word/services/studios/j/c0de",
  may_start: true,
  created_by: "alpha",
  created_at: ago(10),
  expires_at: ago(-7 * 24 * 3600 - 60),
  people: ["beta"],
};

const SHARE: Share = {
  id: "user:beta",
  studio_id: "st-1",
  kind: "user",
  name: "beta",
  may_start: false,
  link_id: "sl-1",
  created_by: "alpha",
  created_at: ago(10),
  here: true,
};

function service(lists: { shares?: Share[]; links?: ShareLink[] } = {}): Service {
  const found = new Service()
    .on("GET /me", { name: "alpha", display_name: "alpha", admin: false, groups: ["lab"] })
    .on("GET /studios/st-1/shares", { items: lists.shares ?? [], next: null })
    .on("GET /studios/st-1/share-links", { items: lists.links ?? [], next: null });
  return found;
}

test("“Share” says with whose rights a visitor acts, and makes a link for a week", async () => {
  const here = service();
  here.show(shared());
  here.on("POST /studios/st-1/share-links", LINK);
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Share" }));
  expect(screen.getByText("Whoever comes in acts as alpha.")).toBeVisible();
  here.on("GET /studios/st-1/share-links", { items: [LINK], next: null });
  await user.click(screen.getByRole("button", { name: "Make a link" }));
  await waitFor(() =>
    expect(here.find("POST", "/studios/st-1/share-links")?.body).toEqual({
      expires_in_hours: 168,
      may_start: false,
    }),
  );
  expect(await screen.findByDisplayValue(location.origin + LINK.url)).toHaveAttribute("readonly");
  expect(screen.getByText(/Ends in 7 d/)).toBeVisible();
  expect(screen.getByText(/came by it: beta/)).toBeVisible();
});

test("a link made from a notebook leads to it, and can be copied and ended", async () => {
  const here = service({ links: [LINK] });
  here.show(shared());
  here.on("DELETE /studios/st-1/share-links/sl-1", null);
  const { user } = visit("studios/st-1?tab=sharing&open=lab%2Ftree%2Fa.ipynb");
  const address = `${location.origin}${LINK.url}?open=lab%2Ftree%2Fa.ipynb`;
  expect(await screen.findByDisplayValue(address)).toBeVisible();
  const write = vi.spyOn(navigator.clipboard, "writeText");
  await user.click(screen.getByRole("button", { name: "Copy" }));
  expect(write).toHaveBeenCalledWith(address);
  here.on("GET /studios/st-1/share-links", { items: [], next: null });
  await user.click(screen.getByRole("button", { name: "End link" }));
  await waitFor(() => expect(screen.queryByDisplayValue(address)).toBeNull());
  expect(here.find("DELETE", "/studios/st-1/share-links/sl-1")).toBeDefined();
});

test("people are named, told apart from those who came by a link, and taken out", async () => {
  const here = service({
    shares: [SHARE, { ...SHARE, id: "group:lab", kind: "group", name: "lab", link_id: null, here: false }],
  });
  here.show(shared());
  here.on("DELETE /studios/st-1/shares/user%3Abeta", null);
  const { user } = visit("studios/st-1?tab=sharing");
  const rows = within(await screen.findByRole("list", { name: "People and groups" }));
  await waitFor(() => expect(rows.getAllByRole("listitem")).toHaveLength(2));
  expect(rows.getAllByRole("listitem")[0]).toHaveTextContent(/beta · came by a link.*Here now/);
  expect(rows.getAllByRole("listitem")[1]).toHaveTextContent(/lab \(group\)/);
  await user.click(rows.getByRole("button", { name: "Take out beta" }));
  await waitFor(() => expect(here.find("DELETE", "/studios/st-1/shares/user%3Abeta")).toBeDefined());
});

test("a name that nobody has is told at its field", async () => {
  const here = service();
  here.show(shared());
  here.on(
    "POST /studios/st-1/shares",
    new Refusal({ status: 404, title: "Nobody here is called “bet”", field: "user" }),
  );
  const { user } = visit("studios/st-1?tab=sharing");
  await user.type(await screen.findByRole("textbox", { name: "User name" }), "bet");
  await user.click(
    within(screen.getByRole("region", { name: "By name" })).getByRole("button", { name: "Share" }),
  );
  expect(await screen.findByText(/Nobody here is called “bet”/)).toBeVisible();
  expect(screen.getByRole("textbox", { name: "User name" })).toBeInvalid();
});

test("a stop names who else is inside, and gives them time", async () => {
  const here = service();
  const replace = here.show(shared(["alpha"]));
  here.on("POST /studios/st-1/stop", studio({ state: "stopping", may: [] }));
  const { user } = visit("studios/st-1");
  await screen.findByRole("button", { name: "Stop" });
  act(() => replace(shared(["alpha", "beta", "gamma"])));
  await screen.findByText(/Here now: alpha, beta, gamma/);
  await user.click(screen.getByRole("button", { name: "Stop" }));
  const dialog = screen.getByRole("dialog", { name: "Stop “Atlas” while others are in it?" });
  expect(dialog).toHaveTextContent("beta and gamma are in it now.");
  expect(here.find("POST", "/studios/st-1/stop")).toBeUndefined();
  await user.click(within(dialog).getByRole("button", { name: "Tell them and stop" }));
  await waitFor(() => expect(here.find("POST", "/studios/st-1/stop")?.body).toEqual({ notice_seconds: 30 }));
});

test("a visitor of a stopped studio is told whom to ask, or may start it", async () => {
  const here = new Service();
  const replace = here.show(studio({ owner: "beta", may: [] }));
  visit("studios/st-1");
  expect(await screen.findByText("It does not run now. Ask beta to start it.")).toBeVisible();
  expect(screen.queryByRole("button", { name: /^Start/ })).toBeNull();
  act(() => replace(studio({ owner: "beta", may: ["start"] })));
  expect(await screen.findByRole("button", { name: "Start and open" })).toBeVisible();
  expect(screen.getByText("It does not run now. You may start it.")).toBeVisible();
});

test("the list shows others’ studios that are shared", async () => {
  const here = new Service().on("GET /studios", { items: [], next: null });
  const { user } = visit("");
  await user.click(await screen.findByRole("link", { name: "Shared with me" }));
  expect(await screen.findByRole("heading", { name: "Nobody shares a studio with you now" })).toBeVisible();
  expect(here.find("GET", "/studios")?.query.get("shared")).toBe("true");
});

test("the panel has no accessibility faults that can be found by machine", async () => {
  service({ shares: [SHARE], links: [LINK] }).show(shared());
  const { container } = visit("studios/st-1?tab=sharing");
  await screen.findByRole("button", { name: "End link" });
  await screen.findByRole("button", { name: "Take out beta" });
  const found = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(found.violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`)).toEqual([]);
});
