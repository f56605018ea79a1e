import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { LinkView } from "@jupyterhub-studios/explorer";
import type { MountSpec, MountView } from "../src/api/types";
import { dollars } from "../src/mounts/estimate";
import { mountName, mountNameError } from "../src/mounts/names";
import { visit } from "./render";
import { Refusal, Service, ago, studio, type Asked } from "./server";

// jsdom gives nothing a size, and the explorer draws only the rows in sight.
Element.prototype.scrollTo = () => undefined;
for (const side of ["clientHeight", "offsetHeight", "clientWidth", "offsetWidth"])
  Object.defineProperty(HTMLElement.prototype, side, { configurable: true, get: () => 600 });

const LINK: LinkView = {
  id: "dl-1",
  name: "Lake of genomes",
  description: "",
  provider: "s3",
  url: "s3://lake/",
  bucket: "lake",
  prefix: "",
  region: "eu-west-1",
  endpoint: null,
  source: "added",
  owner: "alpha",
  workspace: null,
  workspace_role: null,
  credential: "mine",
  role: "write",
  writable: false,
  why: "You keep it read-only.",
  starred: false,
  hidden: false,
  status: "valid",
  message: "",
  may_edit: true,
};

const SPEC: MountSpec = { link: "dl-1", path: "", name: "lake", profile: "random" };

const view = (changes: Partial<MountView> = {}): MountView => ({
  ...SPEC,
  name: "lake",
  folder: "/workspace/data/lake",
  link_name: "Lake of genomes",
  url: "s3://lake/",
  provider: "s3",
  region: "eu-west-1",
  writable: false,
  why: "“Here” does not list s3://lake as writable.",
  available: true,
  warning: "",
  gigabyte_price: null,
  status: null,
  ...changes,
});

const mounts = (...items: MountView[]) => ({ items, listing_seconds: 60 });
const none = { items: [], next: null };

function explorer(service: Service): Service {
  const folder = {
    name: "in",
    path: "in/",
    kind: "folder",
    size: null,
    modified: null,
    storage_class: null,
    etag: null,
  };
  return service
    .on("GET /me", { name: "alpha", admin: false, groups: [] })
    .on("GET /data-links", { items: [LINK], next: null })
    .on("GET /data-links/dl-1", LINK)
    .on("GET /data-links/dl-1/browse", ({ query }: Asked) => ({
      items: (query.get("path") ?? "") === "" ? [folder] : [],
      next: null,
      truncated: false,
    }));
}

test("names are as the service makes them", () => {
  expect(mountName("Lake of genomes (2026)")).toBe("lake-of-genomes-2026");
  expect(mountName("Lake", ["LAKE", "lake-2"])).toBe("lake-3");
  expect(mountName("All")).toBe("all-2");
  expect(mountName("日本")).toBe("data");
  const twice = [SPEC, { ...SPEC, name: "Lake" }];
  expect(mountNameError(twice, 0)).toBeUndefined();
  expect(mountNameError(twice, 1)).toContain("twice");
  expect(mountNameError([{ ...SPEC, name: "../x" }], 0)).toContain("letters");
  expect(mountNameError([{ ...SPEC, name: "none" }], 0)).toContain("word of commands");
});

test("costs are told as one thinks of them", () => {
  expect(dollars(0.001)).toBe("less than $0.01");
  expect(dollars(2.4)).toBe("about $2.40");
  expect(dollars(12_345.6)).toBe("about $12,346");
});

test("data is chosen in the explorer, and comes along with the new studio", async () => {
  const service = explorer(new Service())
    .on("GET /studios", none)
    .on("POST /mount-checks", mounts(view({ name: "in", url: "s3://lake/in/" })))
    .on("POST /studios", studio());
  service.show(studio());
  const { user } = visit("new");
  await user.type(await screen.findByRole("textbox", { name: "Name" }), "Atlas");
  await user.click(screen.getByRole("button", { name: "Add data" }));
  const dialog = await screen.findByRole("dialog", { name: "Add data" });
  expect(within(dialog).getByRole("button", { name: "Mount this link" })).toBeDisabled();
  await user.click(await within(dialog).findByRole("button", { name: /^Lake of genomes/ }));
  await waitFor(() => expect(within(dialog).getByRole("button", { name: "Mount this link" })).toBeEnabled());
  await user.dblClick(await within(dialog).findByText("in"));
  await user.click(await within(dialog).findByRole("button", { name: "Mount this folder" }));
  expect(await screen.findByRole("textbox", { name: "Name of mount 1" })).toHaveValue("in");
  expect(await screen.findByText(/does not list s3:\/\/lake as writable/)).toBeVisible();
  expect(service.find("POST", "/mount-checks")?.body).toMatchObject({ compute_environment: "local" });
  await user.selectOptions(
    screen.getByRole("combobox", { name: "How mount 1 is read" }),
    "read as whole files",
  );
  await user.click(screen.getByRole("button", { name: "Create and start" }));
  await waitFor(() => expect(service.find("POST", "/studios")).toBeDefined());
  const body = service.find("POST", "/studios")?.body as { mounts: MountSpec[] };
  expect(body.mounts).toEqual([{ link: "dl-1", path: "in/", name: "in", profile: "stream" }]);
});

test("a link is chosen when its name is known, which the mount gets", async () => {
  let answer: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (answer = resolve));
  explorer(new Service())
    .on("GET /studios", none)
    .on("POST /mount-checks", mounts(view()))
    .on("GET /data-links/dl-1", async () => {
      await asked;
      return LINK;
    });
  const { user } = visit("new");
  await user.click(await screen.findByRole("button", { name: "Add data" }));
  const dialog = await screen.findByRole("dialog", { name: "Add data" });
  await user.click(await within(dialog).findByRole("button", { name: /^Lake of genomes/ }));
  const choose = within(dialog).getByRole("button", { name: "Mount this link" });
  expect(await within(dialog).findByText("…/")).toBeVisible();
  expect(choose).toBeDisabled();
  answer();
  await waitFor(() => expect(choose).toBeEnabled());
  await user.click(choose);
  expect(await screen.findByRole("textbox", { name: "Name of mount 1" })).toHaveValue("lake-of-genomes");
});

test("a stopped studio's mounts are changed on its page", async () => {
  const service = explorer(new Service())
    .on("POST /mount-checks", mounts(view({ warning: "It lies in eu-west-1.", gigabyte_price: 0.02 })))
    .on("PUT /studios/st-1/mounts", mounts())
    .on("GET /data-links/dl-1/total", () => {
      const lines = [
        { files: 1, bytes: 5e9, complete: false },
        { files: 3, bytes: 120e9, complete: true },
      ];
      return new Response(lines.map((line) => JSON.stringify(line)).join("\n"), {
        headers: { "Content-Type": "application/x-ndjson" },
      });
    });
  service.show(studio({ mounts: [SPEC] }));
  const { user } = visit("studios/st-1?tab=data");
  const name = await screen.findByRole("textbox", { name: "Name of mount 1" });
  await user.click(await screen.findByRole("button", { name: "How much is it?" }));
  expect(await screen.findByText(/120 GB: reading all of it once costs about \$2.40/)).toBeVisible();
  await user.clear(name);
  await user.type(name, "a b");
  await user.click(screen.getByRole("button", { name: "Save mounts" }));
  expect((await screen.findAllByText(/Use letters, digits/))[0]).toBeVisible();
  expect(service.find("PUT", "/studios/st-1/mounts")).toBeUndefined();
  await user.clear(name);
  await user.type(name, "genomes");
  await user.click(screen.getByRole("button", { name: "Save mounts" }));
  await waitFor(() =>
    expect(service.find("PUT", "/studios/st-1/mounts")?.body).toEqual({
      mounts: [{ ...SPEC, name: "genomes" }],
    }),
  );
});

test("a running studio tells how its mounts are", async () => {
  const status = {
    name: "lake",
    state: "mounted" as const,
    message: "",
    listed_at: ago(30),
    waiting_files: 2,
    waiting_bytes: 5e6,
    failing_files: 1,
    cached_bytes: 0,
  };
  const failed = {
    ...status,
    name: "off",
    state: "failed" as const,
    message: "the bucket is not there",
    waiting_files: 0,
  };
  const service = new Service()
    .on(
      "GET /studios/st-1/mounts",
      mounts(view({ status }), view({ name: "off", folder: "/workspace/data/off", status: failed })),
    )
    .on(
      "POST /studios/st-1/mounts/lake/refresh",
      new Refusal({ status: 409, title: "“Atlas” does not run", detail: "nothing is mounted" }),
    );
  service.show(studio({ state: "running", may: ["open", "stop", "edit"], mounts: [SPEC] }));
  const { user } = visit("studios/st-1?tab=data");
  const lake = await screen.findByRole("listitem", { name: "lake" });
  expect(within(lake).getByText(/Listed anew 30 s ago/)).toBeVisible();
  expect(within(lake).getByText(/2 files \(5(\.0)? MB\) still to be uploaded/)).toBeVisible();
  expect(within(lake).getByText(/1 upload failed and is tried again/)).toBeVisible();
  expect(
    within(screen.getByRole("listitem", { name: "off" })).getByText("the bucket is not there"),
  ).toBeVisible();
  expect(screen.getByText(/listing is at most 60 seconds old/)).toBeVisible();
  await user.click(within(lake).getByRole("button", { name: "Refresh lake" }));
  expect(await screen.findByText(/nothing is mounted/i)).toBeVisible();
});
