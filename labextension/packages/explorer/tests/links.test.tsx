import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { show } from "./render";
import { Refusal, Server, credential, folder, link, page, type Asked } from "./server";

const list = <T,>(...items: T[]) => ({ items, next: null });
const open = (server: Server, more = {}) => show(server, null, more);

describe("the list of links", () => {
  test("shows all clouds side by side, with what one may do and why", async () => {
    const server = new Server().on(
      "GET /data-links",
      list(
        link({ id: "a", name: "Zebra", starred: true }),
        link({
          id: "b",
          name: "Genomes",
          provider: "gcs",
          url: "gs://g/",
          writable: false,
          why: "raw data is kept",
        }),
        link({
          id: "c",
          name: "Images",
          provider: "azure",
          url: "az://i/",
          role: "view",
          region: "northeurope",
        }),
        link({ id: "d", name: "Lost", status: "invalid", message: "the bucket is gone" }),
      ),
    );
    open(server);
    const rows = (await screen.findAllByRole("listitem")).filter((row) => row.dataset["link"] !== undefined);
    expect(rows.map((row) => within(row).getByRole("heading").textContent)).toEqual([
      "Zebra",
      "Genomes",
      "Images",
      "Lost",
    ]);
    expect(screen.getByRole("img", { name: "Google Cloud Storage" })).toBeInTheDocument();
    expect(screen.getByRole("img", { name: "Read-only: raw data is kept" })).toBeInTheDocument();
    expect(screen.getByRole("img", { name: /^Look only/ })).toBeInTheDocument();
    expect(rows[3]).toHaveTextContent("The bucket is gone.");
    expect(rows[2]).toHaveTextContent("northeurope");
  });

  test("nobody without data is left without a way on", async () => {
    const { user } = open(new Server().on("GET /data-links", list()));
    expect(await screen.findByRole("heading", { name: "No data yet" })).toBeInTheDocument();
    await user.click(screen.getAllByRole("button", { name: "Add a link" })[0]!);
    expect(screen.getByRole("dialog", { name: "Add a data link" })).toBeInTheDocument();
  });

  test("the filter goes to the server, and can be cleared", async () => {
    const server = new Server().on("GET /data-links", ({ query }: Asked) =>
      query.get("q") === null ? list(link()) : list(),
    );
    const { user } = open(server);
    await screen.findByText("Lab data");
    await user.type(screen.getByRole("searchbox"), "provider:gcs x");
    await screen.findByRole("heading", { name: "No link matches" });
    expect(server.last("GET", "/data-links")?.query.get("q")).toBe("provider:gcs x");
    await user.click(screen.getByRole("button", { name: "Clear the filters" }));
    await screen.findByText("Lab data");
  });

  test("hidden links are shown on request, and starring is marked at once", async () => {
    let starred = false;
    const server = new Server()
      .on("GET /data-links", ({ query }: Asked) =>
        list(link({ starred, hidden: query.get("hidden") === "only" })),
      )
      .on("PATCH /data-links/l1/marks", ({ body }: Asked) => {
        starred = (body as { starred: boolean }).starred;
        return link({ starred });
      });
    const { user } = open(server);
    await user.click(await screen.findByRole("button", { name: "Star Lab data" }));
    expect(screen.getByRole("button", { name: "Unstar Lab data" })).toHaveAttribute("aria-pressed", "true");
    await waitFor(() => expect(starred).toBe(true));
    await user.selectOptions(screen.getByRole("combobox", { name: "Hidden links" }), "Only hidden");
    await waitFor(() => expect(server.last("GET", "/data-links")?.query.get("hidden")).toBe("only"));
    fireEvent.contextMenu((await screen.findByText("Lab data")).closest("li")!);
    expect(screen.getByRole("menuitem", { name: "Show in my list" })).toBeInTheDocument();
  });

  test("what cannot be edited is not offered for editing", async () => {
    open(new Server().on("GET /data-links", list(link({ may_edit: false }))));
    fireEvent.contextMenu((await screen.findByText("Lab data")).closest("li")!);
    expect(screen.queryByRole("menuitem", { name: /Remove|Edit/ })).toBeNull();
    expect(screen.getByRole("menuitem", { name: "Hide from my list" })).toBeInTheDocument();
  });

  test("offering to a workspace changes nothing else", async () => {
    const server = new Server().on("PATCH /data-links/l1", link());
    const { user } = open(server, { workspaces: ["proteomics"] });
    fireEvent.contextMenu((await screen.findByText("Lab data")).closest("li")!);
    await user.click(screen.getByRole("menuitem", { name: /offer to a workspace/ }));
    await user.selectOptions(screen.getByLabelText("Offer to a workspace"), "proteomics");
    await user.selectOptions(screen.getByLabelText("Its members may"), "Look: browse and preview");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(server.last("PATCH", "/data-links/l1")?.body).toEqual({
      workspace: "proteomics",
      workspace_role: "view",
    });
  });

  test("the credentials are asked anew on request", async () => {
    const server = new Server().on("POST /data-links/refresh", null);
    const { user } = open(server);
    await screen.findByText("Lab data");
    const asked = server.all("GET", "/data-links").length;
    await user.click(screen.getByRole("button", { name: "Look for buckets again" }));
    await waitFor(() => expect(server.all("GET", "/data-links").length).toBe(asked + 1));
  });
});

test("where links are kept elsewhere, it says where and offers no change", async () => {
  const { user, commands } = open(new Server(), { linksElsewhere: "Links are added on the page Data" });
  const add = await screen.findByRole("button", { name: /^Add a link/ });
  expect(add).toHaveAccessibleName(/Links are added on the page Data/);
  await user.click(add);
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(commands()?.addLink).toBeUndefined();
  fireEvent.contextMenu((await screen.findByText("Lab data")).closest("li")!);
  expect(screen.queryByRole("menuitem", { name: /Remove|Edit/ })).toBeNull();
});

describe("adding a link", () => {
  const start = async (server: Server, more = {}) => {
    const shown = open(server, more);
    await screen.findByText("Lab data");
    await shown.user.click(screen.getByRole("button", { name: "Add a link" }));
    return shown;
  };

  test("a public bucket needs an address alone", async () => {
    const server = new Server().on("POST /data-links", link());
    const { user } = await start(server);
    await user.type(screen.getByLabelText("Address"), "s3://1000genomes");
    expect(screen.getByLabelText("Name")).toHaveValue("1000genomes");
    expect(screen.queryByLabelText("May be written through this link")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Add the link" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(server.last("POST", "/data-links")?.body).toEqual({
      name: "1000genomes",
      url: "s3://1000genomes",
      credential: null,
      description: "",
      writable: false,
      workspace: null,
      workspace_role: "download",
    });
  });

  test("with a new credential, which is made once though the link fails first", async () => {
    let refused = true;
    const server = new Server()
      .on("POST /data-credentials", credential({ id: "c9" }))
      .on("GET /data-credentials", () => list(credential({ id: "c9", name: "lab" })))
      .on("POST /data-links", () =>
        refused ? new Refusal(422, "Not valid", { field: "url", detail: "no such bucket" }) : link(),
      );
    const { user } = await start(server);
    await user.type(screen.getByLabelText("Address"), "s3://lab/");
    await user.selectOptions(screen.getByLabelText("Access"), "New credential…");
    await user.click(screen.getByRole("button", { name: "Add the link" }));
    expect(screen.getAllByText("This is needed")).toHaveLength(2);
    await user.type(screen.getByLabelText("Access key id"), "AKIA");
    await user.type(screen.getByLabelText("Secret access key"), "very-secret");
    expect(screen.getByLabelText("Secret access key")).toHaveAttribute("type", "password");
    await user.click(screen.getByRole("button", { name: "Add the link" }));
    expect(await screen.findByText("no such bucket")).toBeInTheDocument();
    refused = false;
    await user.click(screen.getByRole("button", { name: "Add the link" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(server.all("POST", "/data-credentials")).toHaveLength(1);
    expect(server.last("POST", "/data-links")?.body).toMatchObject({ credential: "c9", name: "lab" });
    expect(document.body.innerHTML).not.toContain("very-secret");
  });

  test("credentials of another provider are not offered", async () => {
    const server = new Server().on(
      "GET /data-credentials",
      list(credential({ id: "a", name: "aws" }), credential({ id: "g", name: "google", provider: "gcs" })),
    );
    const { user } = await start(server);
    await user.type(screen.getByLabelText("Address"), "gs://b/");
    await screen.findByRole("option", { name: "google" });
    expect(screen.queryByRole("option", { name: "aws" })).toBeNull();
  });

  test("folders are for one's own machine", async () => {
    const { user, unmount } = await start(new Server());
    await user.type(screen.getByLabelText("Address"), "file:///data");
    expect(screen.getByText(/can be added by an administrator alone/)).toBeInTheDocument();
    unmount();
    const again = await start(new Server(), { ownMachine: true });
    await again.user.type(screen.getByLabelText("Address"), "file:///data");
    expect(screen.queryByText(/administrator/)).toBeNull();
    expect(screen.queryByLabelText("Access")).toBeNull();
  });
});

describe("a folder of a link", () => {
  test("a folder becomes a data link, with the credential that it was reached with", async () => {
    const server = new Server()
      .on("GET /data-credentials", list(credential({ id: "c9", name: "mine" })))
      .on("GET /data-links/l1/browse", page([folder("runs/")]))
      .on("POST /data-links", link());
    const { user } = show(server);
    fireEvent.contextMenu(await screen.findByRole("row", { name: /runs/ }));
    await user.click(screen.getByRole("menuitem", { name: "Save as a data link…" }));
    await waitFor(() => expect(screen.getByLabelText("Access")).toHaveValue("c9"));
    expect(screen.getByLabelText("Name")).toHaveValue("runs");
    await user.click(screen.getByRole("button", { name: "Add the link" }));
    expect(await screen.findByText("Saved among your data links")).toBeVisible();
    expect(server.last("POST", "/data-links")?.body).toMatchObject({
      name: "runs",
      url: "s3://lab/data/runs/",
      credential: "c9",
    });
  });

  test("… but not with the credential of somebody else", async () => {
    const server = new Server()
      .on("GET /data-links/l1", link({ may_edit: false, owner: "beta", credential: "of beta" }))
      .on("GET /data-links/l1/browse", page([folder("runs/")]));
    show(server);
    fireEvent.contextMenu(await screen.findByRole("row", { name: /runs/ }));
    const item = screen.getByRole("menuitem", { name: /^Save as a data link… It is reached with/ });
    expect(item).toHaveAttribute("aria-disabled", "true");
  });
});

describe("credentials", () => {
  test("tell their status, and why one does not work", async () => {
    const server = new Server().on(
      "GET /data-credentials",
      list(
        credential({ name: "good" }),
        credential({
          id: "c2",
          name: "old",
          status: "invalid",
          message: "the key is disabled",
          may_edit: false,
        }),
      ),
    );
    const { user } = open(server);
    await user.click(await screen.findByRole("button", { name: "Credentials" }));
    const rows = await screen.findAllByRole("listitem");
    expect(rows[0]).toHaveTextContent(/good.*Access key · 2 buckets.*Works/);
    expect(rows[1]).toHaveTextContent("The key is disabled.");
    expect(screen.queryByRole("button", { name: "Remove old" })).toBeNull();
  });

  test("one that links use is not removed, and says so", async () => {
    const server = new Server()
      .on("GET /data-credentials", list(credential()))
      .on("DELETE /data-credentials/c1", new Refusal(409, "2 links use it", { action: "Remove them first" }));
    const { user } = open(server);
    await user.click(await screen.findByRole("button", { name: "Credentials" }));
    await user.click(await screen.findByRole("button", { name: "Remove mine" }));
    await user.click(screen.getByRole("button", { name: "Remove the credential" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("2 links use it.Remove them first.");
  });

  test("a kind is refused at its field", async () => {
    const server = new Server().on(
      "POST /data-credentials",
      new Refusal(422, "Not valid", { field: "endpoint", detail: "this address may not be reached" }),
    );
    const { user } = open(server);
    await user.click(await screen.findByRole("button", { name: "Credentials" }));
    await user.click(screen.getByRole("button", { name: "Add a credential" }));
    await user.selectOptions(screen.getByLabelText("Provider"), "Google Cloud Storage");
    expect(screen.getByLabelText("Kind of access")).toHaveValue("service-account");
    await user.type(screen.getByLabelText("Name of the credential"), "g");
    fireEvent.change(screen.getByLabelText("Key file"), { target: { value: "{}" } });
    await user.type(screen.getByLabelText("Endpoint"), "http://169.254.169.254");
    await user.click(screen.getByRole("button", { name: "Add the credential" }));
    await waitFor(() => expect(screen.getByLabelText("Endpoint")).toHaveAttribute("aria-invalid", "true"));
    expect(screen.getByLabelText("Endpoint")).toHaveAccessibleDescription(/this address may not be reached/);
  });
});

test("a link that is gone is told, with the way back", async () => {
  const server = new Server().on("GET /data-links/l1", new Refusal(404, "There is no such link"));
  const { user, places } = show(server);
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no such link");
  await user.click(screen.getByRole("button", { name: "All data links" }));
  expect(places).toEqual([null]);
});
