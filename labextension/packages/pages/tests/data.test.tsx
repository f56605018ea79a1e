import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { visit } from "./render";
import { BASE, Refusal, Service } from "./server";

const LINK = {
  id: "l 1",
  name: "Lab data",
  description: "",
  provider: "s3",
  url: "s3://lab/",
  bucket: "lab",
  prefix: "",
  region: null,
  endpoint: null,
  source: "added",
  owner: "alpha",
  workspace: null,
  workspace_role: null,
  credential: null,
  role: "write",
  writable: true,
  why: "",
  starred: false,
  hidden: false,
  status: "valid",
  message: "",
  may_edit: true,
};

function service(): Service {
  return new Service()
    .on("GET /me", { name: "alpha", admin: false, groups: ["proteomics"] })
    .on("GET /data-links", { items: [LINK], next: null })
    .on("GET /data-links/l%201", LINK)
    .on("GET /data-links/l%201/browse", { items: [], next: null, truncated: false })
    .on("PATCH /data-links/l%201/marks", LINK);
}

test("the address is the place, below any base URL, and back leads back", async () => {
  const found = service();
  const { user } = visit("data");
  expect(screen.getByRole("link", { name: "Data" })).toHaveClass("active");
  await user.click(await screen.findByRole("button", { name: "Lab data" }));
  await waitFor(() => expect(location.pathname).toBe(`${BASE}data/l%201`));
  await screen.findByRole("heading", { name: "This folder is empty" });
  expect(found.find("GET", "/data-links/l%201/browse")?.headers.get("X-XSRFToken")).toBe("2|token");
  history.back();
  await screen.findByRole("list", { name: "Data links" });
});

test("a deep link opens its folder", async () => {
  const found = service();
  visit("data/l%201?path=a%2F%2Fb%20c%2F");
  await screen.findByRole("heading", { name: "This folder is empty" });
  expect(found.find("GET", "/data-links/l%201/browse")?.query.get("path")).toBe("a//b c/");
});

test("changes carry the XSRF token, and an ended sign-in is told", async () => {
  const found = service();
  const { user } = visit("data");
  await user.click(await screen.findByRole("button", { name: "Star Lab data" }));
  await waitFor(() =>
    expect(found.find("PATCH", "/data-links/l%201/marks")?.headers.get("X-XSRFToken")).toBe("2|token"),
  );
  found.on("GET /data-links", new Refusal({ status: 401, title: "no" }));
  await user.type(screen.getByRole("searchbox", { name: "Filter data links" }), "x");
  expect(await screen.findByRole("button", { name: "Sign in again" })).toBeInTheDocument();
});

test("a link can be offered to one's own workspaces", async () => {
  service();
  const { user } = visit("data");
  await user.click(await screen.findByRole("button", { name: "More for Lab data" }));
  await user.click(screen.getByRole("menuitem", { name: /offer to a workspace/ }));
  expect(screen.getByRole("option", { name: "proteomics" })).toBeInTheDocument();
});
