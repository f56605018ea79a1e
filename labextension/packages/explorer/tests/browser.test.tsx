import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import type { Entry } from "../src/types";
import { show } from "./render";
import { Lines, Refusal, Server, file, folder, link, page, type Asked } from "./server";

const BROWSE = "/data-links/l1/browse";
const nameIn = (one: Element | null | undefined): string =>
  one?.querySelector(".dx-name .dx-elided")?.textContent ?? "";
const rows = (): string[] => screen.getAllByRole("row").slice(1).map(nameIn);
const row = (name: string): Promise<HTMLElement> =>
  waitFor(() => {
    const found = screen.getAllByRole("row").find((one) => nameIn(one) === name);
    if (found === undefined) throw new Error(`no row ${name}`);
    return found;
  });
const grid = (): HTMLElement => screen.getByRole("grid");

describe("paging", () => {
  test("a page without rows is followed to the next", async () => {
    const server = new Server().on(`GET ${BROWSE}`, ({ query }: Asked) =>
      query.get("after") === null
        ? page([], "c1")
        : query.get("after") === "c1"
          ? page([], "c2")
          : page([file("a.txt")]),
    );
    show(server);
    await row("a.txt");
    expect(server.all("GET", BROWSE).map(({ query }) => query.get("after"))).toEqual([null, "c1", "c2"]);
  });

  test("the next page comes near the end, and only what is in sight is drawn", async () => {
    const many = (from: number, n: number): Entry[] =>
      Array.from({ length: n }, (_, i) => file(`f${String(from + i).padStart(6, "0")}`));
    const server = new Server().on(`GET ${BROWSE}`, ({ query }: Asked) =>
      query.get("after") === null ? page(many(0, 200), "c1") : page(many(200, 1000), "c2"),
    );
    show(server);
    await row("f000000");
    await screen.findByText("200 loaded, the store has more");
    expect(screen.getAllByRole("row").length).toBeLessThan(60);
    expect(grid()).toHaveAttribute("aria-rowcount", "-1");
    grid().scrollTop = 180 * 36;
    fireEvent.scroll(grid());
    await screen.findByText("1,200 loaded, the store has more");
    expect(server.last("GET", BROWSE)?.query.get("limit")).toBe("1000");
  });

  test("all can be loaded, and stopped", async () => {
    const waits: (() => void)[] = [];
    let n = 0;
    const server = new Server().on(`GET ${BROWSE}`, async () => {
      if (n > 0) await new Promise<void>((resolve) => waits.push(resolve));
      n += 1;
      return page(
        Array.from({ length: 300 }, (_, i) => file(`f${n}-${i}`)),
        `c${n}`,
      );
    });
    const { user } = show(server);
    await row("f1-0");
    await user.click(screen.getByRole("button", { name: "Load all" }));
    await waitFor(() => expect(waits).toHaveLength(1));
    waits[0]?.();
    await screen.findByText("600 loaded, the store has more");
    await waitFor(() => expect(waits).toHaveLength(2));
    await user.click(screen.getByRole("button", { name: "Stop" }));
    waits[1]?.();
    await screen.findByText("900 loaded, the store has more");
    expect(waits).toHaveLength(2);
  });

  test("a page that fails is told, and tried again only on request", async () => {
    let broken = true;
    const server = new Server().on(`GET ${BROWSE}`, () =>
      broken ? new Refusal(502, "The store does not answer", { action: "Try again" }) : page([file("a.txt")]),
    );
    const { user } = show(server);
    expect(await screen.findByRole("alert")).toHaveTextContent("The store does not answer.Try again.");
    const asked = server.all("GET", BROWSE).length;
    broken = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await row("a.txt");
    expect(server.all("GET", BROWSE)).toHaveLength(asked + 1);
  });

  test("a typed filter goes to the store, once it rests; the request that it overtakes is aborted", async () => {
    const server = new Server().on(`GET ${BROWSE}`, ({ query }: Asked) =>
      query.get("search") === "s"
        ? new Promise(() => undefined)
        : page([file(query.get("search") ?? "first")]),
    );
    const { user } = show(server);
    await row("first");
    const box = screen.getByRole("searchbox");
    await user.type(box, "s");
    await waitFor(() => expect(server.last("GET", BROWSE)?.query.get("search")).toBe("s"));
    const slow = server.last("GET", BROWSE);
    await user.type(box, "ample");
    await row("sample");
    expect(slow?.signal?.aborted).toBe(true);
    expect(server.all("GET", BROWSE).map(({ query }) => query.get("search"))).not.toContain("sa");
  });

  test("sorting says that it is among what is loaded", async () => {
    const server = new Server().on(
      `GET ${BROWSE}`,
      page([folder("d/"), file("a", { size: 1 }), file("b", { size: 9 })], "c1"),
    );
    server.on(`GET ${BROWSE}`, ({ query }: Asked) =>
      query.get("after") === null
        ? page([folder("d/"), file("a", { size: 1 }), file("b", { size: 9 })], "c1")
        : new Promise(() => undefined),
    );
    const { user } = show(server);
    await row("a");
    await user.click(screen.getByRole("button", { name: "Size" }));
    expect(rows()).toEqual(["d", "b", "a"]);
    expect(screen.getByText("Sorted among the 3 loaded")).toBeInTheDocument();
    expect(screen.getByRole("columnheader", { name: /Size/ })).toHaveAttribute("aria-sort", "descending");
  });
});

describe("keys", () => {
  const folderRows = page([folder("alpha/"), folder("beta/"), file("bob.txt"), file("carl.txt")]);
  const start = async () => {
    const server = new Server().on(`GET ${BROWSE}`, ({ query }: Asked) =>
      (query.get("path") ?? "") === "" ? folderRows : page([file(`${query.get("path") ?? ""}inside.txt`)]),
    );
    const shown = show(server);
    await row("alpha");
    grid().focus();
    return { server, ...shown };
  };
  const active = (): string =>
    nameIn(document.getElementById(grid().getAttribute("aria-activedescendant") ?? ""));

  test("Enter goes into a folder, Backspace comes back to its row, and then to the links", async () => {
    const { user, places } = await start();
    await user.keyboard("{ArrowDown}{Enter}");
    await row("inside.txt");
    expect(grid()).toHaveFocus();
    await user.keyboard("{Backspace}");
    await row("alpha");
    expect(active()).toBe("beta");
    await user.keyboard("{Backspace}");
    expect(places.at(-1)).toBeNull();
  });

  test("letters find names, the same letter the next one", async () => {
    const { user } = await start();
    await user.keyboard("b");
    expect(active()).toBe("beta");
    await user.keyboard("b");
    expect(active()).toBe("bob.txt");
    await user.keyboard("{Home}");
    await new Promise((resolve) => setTimeout(resolve, 750));
    await user.keyboard("ca");
    expect(active()).toBe("carl.txt");
  });

  test("Space and Shift choose rows, Escape lets go", async () => {
    const { user } = await start();
    await user.keyboard(" {ArrowDown}{ArrowDown}");
    expect(screen.queryByText(/chosen/i, { selector: "strong" })).toBeNull();
    await user.keyboard("{Home}{Shift>}{ArrowDown}{ArrowDown}{/Shift}");
    expect(screen.getByText("3 chosen · 12 B and folders")).toBeInTheDocument();
    expect((await row("bob.txt")).getAttribute("aria-selected")).toBe("true");
    await user.keyboard("{Escape}");
    expect((await row("bob.txt")).getAttribute("aria-selected")).toBe("false");
  });

  test("the menu opens by key at the row, walks by arrows, and gives the focus back", async () => {
    const { user } = await start();
    await user.keyboard("{End}{Shift>}{F10}{/Shift}");
    expect(screen.getByRole("menu", { name: "Actions for carl.txt" })).toBeInTheDocument();
    expect(screen.getByRole("menuitem", { name: /Preview/ })).toHaveFocus();
    await user.keyboard("{End}");
    expect(screen.getByRole("menuitem", { name: /Delete/ })).toHaveFocus();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("menu")).toBeNull();
    expect(grid()).toHaveFocus();
  });

  test("F2 and Delete ask, and do nothing where nothing may be changed", async () => {
    const { user, server, unmount } = await start();
    await user.keyboard("{End}{F2}");
    expect(screen.getByRole("dialog", { name: "Rename the file" })).toBeInTheDocument();
    unmount();
    server.on("GET /data-links/l1", link({ writable: false, why: "raw data is kept" }));
    const again = show(server);
    await row("alpha");
    grid().focus();
    await again.user.keyboard("{F2}{Delete}");
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(screen.getByRole("button", { name: /^Upload/ })).toHaveAccessibleName(/Raw data is kept/);
    expect(screen.getByRole("button", { name: /^Upload/ })).toHaveAttribute("aria-disabled", "true");
  });
});

describe("search below", () => {
  test("shows hits and how far it is, and is stopped by closing the request", async () => {
    let go: (line: unknown) => void = () => undefined;
    const more = new Promise((resolve) => (go = resolve));
    const server = new Server()
      .on(`GET ${BROWSE}`, page([folder("a/")]))
      .on(
        "GET /data-links/l1/search",
        () => new Lines([{ entry: file("a/b/hit.txt"), scanned: 1200, complete: false }, more]),
      );
    const { user } = show(server);
    await row("a");
    await user.type(screen.getByRole("searchbox"), "hit{Enter}");
    await row("hit.txt");
    expect(rows()).toEqual(["hit.txt"]);
    expect(screen.getByText("a/b/")).toBeInTheDocument();
    expect(await screen.findByText(/1 hit for “hit” among 1,200 files so far/)).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Stop" }));
    expect(server.last("GET", "/data-links/l1/search")?.signal?.aborted).toBe(true);
    expect(screen.getByText(/1,200 files: stopped/)).toBeInTheDocument();
    go(undefined);
    await user.click(screen.getByRole("button", { name: "Close the search" }));
    await row("a");
  });
});

describe("what can be done", () => {
  test("a zip beyond the cap becomes code to copy", async () => {
    const refusal = new Refusal(413, "More files than a zip may hold", { detail: "the limit is 1,000" });
    const server = new Server()
      .on(`GET ${BROWSE}`, page([folder("big/")]))
      .on("HEAD /data-links/l1/archive", refusal)
      .on("GET /data-links/l1/archive", refusal)
      .on("GET /data-links/l1/snippets", {
        items: [
          { tool: "aws", title: "AWS command line", language: "bash", code: "aws s3 sync …", note: "" },
        ],
        next: null,
      });
    const { user, copied } = show(server);
    fireEvent.contextMenu(await row("big"));
    await user.click(screen.getByRole("menuitem", { name: "Download as zip" }));
    const dialog = await screen.findByRole("dialog");
    expect(dialog).toHaveTextContent("More files than a zip may hold");
    await user.click(await within(dialog).findByRole("button", { name: "Copy: AWS command line" }));
    expect(copied).toEqual(["aws s3 sync …"]);
  });

  test("deleting counts what lies in folders, shows how far it is, and takes the rows away", async () => {
    const server = new Server()
      .on(`GET ${BROWSE}`, page([folder("old/"), file("a.txt"), file("keep.txt")]))
      .on("GET /data-links/l1/total", () => new Lines([{ files: 1204, bytes: 3e9, complete: true }]))
      .on(
        "POST /data-links/l1/delete",
        () => new Lines([{ done: 1205, total: 1205, complete: true, failed: [], message: "" }]),
      );
    const { user } = show(server);
    (await row("old")).querySelector<HTMLElement>(".dx-cell-check")?.click();
    (await row("a.txt")).querySelector<HTMLElement>(".dx-cell-check")?.click();
    await user.click(screen.getByRole("button", { name: "Delete" }));
    const dialog = screen.getByRole("dialog", { name: "Delete 1 folder and 1 file?" });
    await waitFor(() => expect(dialog).toHaveTextContent("The folder holds 1,204 files, 3.0 GB."));
    await user.click(within(dialog).getByRole("button", { name: "Delete" }));
    await waitFor(() => expect(rows()).toEqual(["keep.txt"]));
    expect(server.last("POST", "/data-links/l1/delete")?.body).toEqual({ paths: ["old/", "a.txt"] });
  });

  test("what could not be deleted is named, and the folder is looked at again", async () => {
    const server = new Server()
      .on(`GET ${BROWSE}`, page([file("a.txt"), file("b.txt")]))
      .on(
        "POST /data-links/l1/delete",
        () => new Lines([{ done: 1, total: 2, complete: true, failed: ["b.txt"], message: "access denied" }]),
      );
    const { user } = show(server);
    await row("a.txt");
    grid().focus();
    await user.keyboard("{Control>}a{/Control}{Delete}");
    const asked = server.all("GET", BROWSE).length;
    await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Delete" }));
    expect(await screen.findByText(/Access denied: “b.txt”/)).toBeInTheDocument();
    await waitFor(() => expect(server.all("GET", BROWSE).length).toBe(asked + 1));
  });

  test("renaming onto something offers to replace it", async () => {
    const server = new Server()
      .on(`GET ${BROWSE}`, page([file("d/a.txt")]))
      .on("POST /data-links/l1/move", ({ body }: Asked) =>
        (body as { replace: boolean }).replace
          ? new Lines([{ done: 1, total: 1, complete: true, failed: [], message: "" }])
          : new Refusal(409, "It exists already"),
      );
    const { user } = show(server, { link: "l1", path: "d/" });
    await row("a.txt");
    grid().focus();
    await user.keyboard("{F2}{Control>}a{/Control}b.txt{Enter}");
    await user.click(await screen.findByRole("checkbox", { name: "Replace what is there" }));
    await user.click(screen.getByRole("button", { name: "Rename" }));
    await row("b.txt");
    expect(server.last("POST", "/data-links/l1/move")?.body).toEqual({
      source: "d/a.txt",
      target: "d/b.txt",
      replace: true,
    });
  });

  test("moving asks for a folder, and never into itself", async () => {
    const server = new Server()
      .on(`GET ${BROWSE}`, ({ query }: Asked) =>
        page((query.get("path") ?? "") === "" ? [folder("a/"), folder("b/")] : []),
      )
      .on(
        "POST /data-links/l1/move",
        () => new Lines([{ done: 1, total: 1, complete: true, failed: [], message: "" }]),
      );
    const { user } = show(server);
    fireEvent.contextMenu(await row("a"));
    await user.click(screen.getByRole("menuitem", { name: "Move…" }));
    const dialog = screen.getByRole("dialog", { name: "Move “a”" });
    const here = within(dialog).getByRole("button", { name: "Move here" });
    expect(here).toBeDisabled();
    await user.click(await within(dialog).findByRole("button", { name: "a" }));
    expect(here).toBeDisabled();
    expect(dialog).toHaveTextContent("A folder cannot be moved into itself");
    await user.click(within(dialog).getByRole("button", { name: /Lab data/ }));
    await user.click(await within(dialog).findByRole("button", { name: "b" }));
    await user.click(here);
    await waitFor(() => expect(rows()).toEqual(["b"]));
    expect(server.last("POST", "/data-links/l1/move")?.body).toMatchObject({ source: "a/", target: "b/a/" });
  });

  test("paths and deep links are copied, for files with their folder", async () => {
    const server = new Server().on(`GET ${BROWSE}`, page([file("x y/ä.txt")]));
    const { user, copied } = show(server, { link: "l1", path: "x y/" });
    for (const name of ["Copy the path", "Copy a link to this place"]) {
      fireEvent.contextMenu(await row("ä.txt"));
      await user.click(await screen.findByRole("menuitem", { name }));
    }
    expect(copied).toEqual(["s3://lab/data/x y/ä.txt", "http://hub/data/l1?path=x y/&file=x y/ä.txt"]);
  });

  test("who may only look is told so, and may not download", async () => {
    const server = new Server()
      .on("GET /data-links/l1", link({ role: "view", writable: false }))
      .on(`GET ${BROWSE}`, page([file("a.txt")]));
    const { user } = show(server);
    fireEvent.contextMenu(await row("a.txt"));
    const item = screen.getByRole("menuitem", { name: /^Download You may look/ });
    expect(item).toHaveAttribute("aria-disabled", "true");
    await user.click(item);
    expect(server.last("HEAD", "/data-links/l1/download")).toBeUndefined();
  });

  test("code goes into a notebook where there is one", async () => {
    const openInNotebook = vi.fn();
    const server = new Server().on(`GET ${BROWSE}`, page([file("a.csv")])).on("GET /data-links/l1/snippets", {
      items: [
        { tool: "python", title: "", language: "python", code: "open()", note: "" },
        { tool: "pandas", title: "", language: "python", code: "pd.read_csv()", note: "" },
      ],
      next: null,
    });
    const { user } = show(server, undefined, { openInNotebook });
    fireEvent.contextMenu(await row("a.csv"));
    await user.click(screen.getByRole("menuitem", { name: "Open in notebook" }));
    await waitFor(() => expect(openInNotebook).toHaveBeenCalledWith("pd.read_csv()"));
  });
});

test("a dropped file is uploaded into the folder that is shown, and comes into its rows", async () => {
  const server = new Server()
    .on(`GET ${BROWSE}`, page([file("d/b.txt")]))
    .on("PUT /data-links/l1/upload", ({ query }: Asked) => file(query.get("path") ?? ""));
  show(server, { link: "l1", path: "d/" });
  await row("b.txt");
  const entry = {
    isFile: true,
    name: "a.txt",
    file: (done: (f: File) => void) => done(new File(["x"], "a.txt")),
  };
  const dataTransfer = { types: ["Files"], items: [{ kind: "file", webkitGetAsEntry: () => entry }] };
  fireEvent.dragOver(grid(), { dataTransfer });
  expect(screen.getByText("Upload into “d”")).toBeInTheDocument();
  fireEvent.drop(grid(), { dataTransfer });
  await row("a.txt");
  expect(rows()).toEqual(["a.txt", "b.txt"]);
  expect(screen.getByRole("region", { name: "Uploads" })).toHaveTextContent("1 file uploaded");
});

test("commands from outside act on what is shown", async () => {
  const server = new Server().on(`GET ${BROWSE}`, page([file("a.txt")]));
  const { commands, user, places } = show(server);
  await row("a.txt");
  commands()?.newFolder?.();
  expect(await screen.findByRole("dialog", { name: "New folder" })).toBeInTheDocument();
  await user.keyboard("{Escape}");
  commands()?.up?.();
  await waitFor(() => expect(places).toEqual([null]));
  await waitFor(() => expect(commands()?.addLink).toBeDefined());
  expect(commands()?.upload).toBeUndefined();
});
