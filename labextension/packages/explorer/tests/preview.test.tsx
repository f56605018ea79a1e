import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { safeHtml } from "../src/preview/markdown";
import type { Preview } from "../src/types";
import { show } from "./render";
import { Refusal, Server, file, link, page, type Asked } from "./server";

const PREVIEW = "/data-links/l1/preview";
const base = (path: string) => ({ path, size: 1000, bytes_read: 100, views: [], note: "" });
const text = (path: string, changes: object = {}): Preview => ({
  ...base(path),
  view: "text",
  text: "hello\n",
  language: "plain",
  start: 0,
  end: 1000,
  length: 1000,
  packed: null,
  encoding: "utf-8",
  ...changes,
});

function preview(answer: unknown, path = "a.txt", more = {}) {
  const server = new Server()
    .on("GET /data-links/l1/browse", page([file(path)]))
    .on(`GET ${PREVIEW}`, answer);
  return { server, ...show(server, { link: "l1", path: "", file: path }, more) };
}

describe("text", () => {
  test("a window moves to the tail, earlier, later and anywhere", async () => {
    const { server, user } = preview(({ query }: Asked) => {
      const at = query.get("at");
      const start = at === "end" ? 900 : at === null || at === "start" ? 0 : Number(at);
      return text("a.txt", { start, end: start + 100, text: `from ${start}` });
    });
    const body = await screen.findByRole("region", { name: "Text of the file" });
    expect(body).toHaveTextContent("from 0");
    expect(screen.getByText("bytes 0–100 of 1,000")).toBeInTheDocument();
    for (const [button, shown] of [
      ["Tail", "from 900"],
      ["Earlier", "from 800"],
      ["Later", "from 900"],
      ["Head", "from 0"],
    ] as const) {
      await user.click(screen.getByRole("button", { name: button }));
      await waitFor(() => expect(body).toHaveTextContent(shown));
      await waitFor(() => expect(screen.getByLabelText("Jump to a percentage or a byte")).toBeEnabled());
    }
    await user.type(screen.getByLabelText("Jump to a percentage or a byte"), "50%{Enter}");
    await waitFor(() => expect(body).toHaveTextContent("from 500"));
    expect(server.last("GET", PREVIEW)?.query.get("at")).toBe("500");
  });

  test("the end of a packed text is reached by reading on", async () => {
    preview(text("a.gz", { packed: "gzip", length: null, end: 100 }), "a.gz");
    expect(await screen.findByRole("button", { name: "Tail" })).toBeDisabled();
    expect(screen.getByText("bytes 0–100 unpacked")).toBeInTheDocument();
  });

  test("another view of the same file is asked for", async () => {
    const { server, user } = preview(({ query }: Asked) =>
      query.get("view") === "binary"
        ? { ...base("a.txt"), view: "binary", views: ["text"], hexdump: "00000000  68" }
        : text("a.txt", { views: ["binary"] }),
    );
    await user.click(await screen.findByRole("button", { name: "Bytes" }));
    expect(await screen.findByText(/00000000/)).toBeInTheDocument();
    expect(server.last("GET", PREVIEW)?.query.get("view")).toBe("binary");
    await user.click(screen.getByRole("button", { name: "Text" }));
    expect(await screen.findByText("hello")).toBeInTheDocument();
  });

  test("a refusal is told and can be tried again", async () => {
    let broken = true;
    const { user } = preview(() => (broken ? new Refusal(502, "The store is slow") : text("a.txt")));
    expect(await screen.findByRole("alert")).toHaveTextContent("The store is slow");
    broken = false;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("hello")).toBeInTheDocument();
  });
});

describe("markdown", () => {
  test("is rendered, and its source is one click away without asking again", async () => {
    const { server, user } = preview(
      text("a.md", { language: "markdown", text: "# Runs\n\n| a |\n|---|\n| 1 |" }),
      "a.md",
    );
    expect(await screen.findByRole("heading", { name: "Runs" })).toBeInTheDocument();
    const asked = server.all("GET", PREVIEW).length;
    await user.click(screen.getByRole("button", { name: "Text" }));
    expect(screen.getByRole("region", { name: "Text of the file" })).toHaveTextContent("# Runs");
    expect(server.all("GET", PREVIEW)).toHaveLength(asked);
  });

  test.each([
    ["<script>alert(1)</script>", "script"],
    ["<img src=x onerror=alert(1)>", "onerror"],
    ["[x](javascript:alert(1))", "javascript:"],
    ['<a href="data:text/html,x">x</a>', "data:"],
    ["<iframe src=//evil></iframe>", "iframe"],
    ["<form action=//evil><input name=q></form>", "form"],
    ["<style>*{display:none}</style>", "style"],
    ['<p style="position:fixed">x</p>', "style"],
    ["![tracker](https://evil/x.png)", "<img"],
    ['<svg><a xlink:href="javascript:alert(1)">x</a></svg>', "javascript:"],
    ['<div id="root" class="btn" name="body">x</div>', "id="],
    ["<video src=//evil poster=//evil></video>", "evil"],
    ['<table background="//evil"><tr><td>x</td></tr></table>', "background"],
  ])("%s loses what it must not have", (source, bad) => {
    expect(safeHtml(source)).not.toContain(bad);
  });

  test("links lead to another tab, and tell nobody where from", () => {
    expect(safeHtml("[x](https://example.org)")).toContain('rel="noopener noreferrer nofollow"');
  });
});

test("a table has its types, numbers to the right, and its row groups", async () => {
  const table = (group: number): Preview => ({
    ...base("t.parquet"),
    view: "table",
    format: "parquet",
    header: "",
    columns: [
      { name: "gene", type: "string" },
      { name: "reads", type: "int64" },
    ],
    rows: [
      [`g${group}`, 5],
      [null, 7],
    ],
    total_rows: 3000,
    groups: 3,
    group,
    facts: [["compression", "ZSTD"]],
  });
  const { server, user } = preview(({ query }: Asked) => table(Number(query.get("group") ?? 0)), "t.parquet");
  expect(await screen.findByText("2 of 3,000 rows · 2 columns")).toBeInTheDocument();
  expect(screen.getByRole("columnheader", { name: /reads/ })).toHaveClass("dx-right");
  expect(screen.getByText("null")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "The next row group" }));
  expect(await screen.findByText("g1")).toBeInTheDocument();
  const box = screen.getByRole("spinbutton");
  await user.clear(box);
  await user.type(box, "3{Enter}");
  expect(await screen.findByText("g2")).toBeInTheDocument();
  expect(server.last("GET", PREVIEW)?.query.get("group")).toBe("2");
});

test("a notebook shows what was saved, and runs nothing", async () => {
  preview(
    {
      ...base("n.ipynb"),
      view: "notebook",
      language: "python",
      cells: [
        { kind: "markdown", source: "# Title", outputs: [] },
        {
          kind: "code",
          source: "print(1)",
          outputs: [
            { kind: "text", text: "1" },
            { kind: "hidden", text: "" },
            { kind: "image", text: "https://evil/x.png" },
            { kind: "image", text: "data:image/png;base64,AA==" },
          ],
        },
      ],
    },
    "n.ipynb",
  );
  expect(await screen.findByRole("heading", { name: "Title" })).toBeInTheDocument();
  expect(screen.getByText(/HTML or script is not shown/)).toBeInTheDocument();
  expect(screen.getAllByRole("img", { name: "Output of the cell" })).toHaveLength(1);
});

describe("documents", () => {
  const document_ = (media: string, path: string, size = 1000) => ({
    ...base(path),
    size,
    view: "document",
    media,
    content_type: "x/y",
  });

  test("HTML is framed in an empty sandbox, from the raw address", async () => {
    const { server } = preview(document_("html", "r.html"), "r.html");
    const frame = await screen.findByTitle("r.html");
    expect(frame).toHaveAttribute("sandbox", "");
    expect(frame).toHaveAttribute("src", `${server.base}/data-links/l1/raw?path=r.html`);
  });

  test("an image is an image element, also of SVG", async () => {
    preview(document_("image", "x.svg"), "x.svg");
    expect((await screen.findByRole("img", { name: "x.svg" })).tagName).toBe("IMG");
  });

  test("a PDF is shown from bytes whose type is fixed, whatever the file says", async () => {
    Object.defineProperty(navigator, "pdfViewerEnabled", { value: true, configurable: true });
    const made = vi.fn<(blob: Blob) => string>(() => "blob:made");
    Object.assign(URL, { createObjectURL: made, revokeObjectURL: () => undefined });
    const server = new Server()
      .on("GET /data-links/l1/browse", page([file("p.pdf")]))
      .on(`GET ${PREVIEW}`, document_("pdf", "p.pdf"))
      .on(
        "GET /data-links/l1/raw",
        () => new Response("<script>", { headers: { "Content-Type": "text/html" } }),
      );
    show(server, { link: "l1", path: "", file: "p.pdf" });
    expect(await screen.findByTitle("p.pdf", { selector: "iframe" } as object)).toHaveAttribute(
      "src",
      "blob:made",
    );
    expect(made.mock.calls[0]?.[0].type).toBe("application/pdf");
  });

  test("a PDF that would fill the memory is left to be downloaded", async () => {
    const { server } = preview(document_("pdf", "p.pdf", 3e9), "p.pdf");
    expect(await screen.findByText(/A PDF of 3.0 GB is not shown here/)).toBeInTheDocument();
    expect(server.last("GET", "/data-links/l1/raw")).toBeUndefined();
  });
});

test("an archive's members are filtered, a tree's nodes have their shapes", async () => {
  const { user, unmount } = preview(
    {
      ...base("z.zip"),
      view: "archive",
      format: "zip",
      members: [
        { path: "a/one.txt", size: 5, folder: false },
        { path: "b/two.txt", size: 6, folder: false },
      ],
      truncated: true,
    },
    "z.zip",
  );
  expect(await screen.findByText("zip · 2 members listed, there are more")).toBeInTheDocument();
  await user.type(screen.getByRole("searchbox", { name: "Filter the contents" }), "TWO");
  await waitFor(() =>
    expect(screen.getAllByRole("listitem", { name: "" }).map((li) => li.textContent)).toContain(
      "b/two.txt6 B",
    ),
  );
  expect(screen.queryByText("a/one.txt")).toBeNull();
  unmount();
  preview(
    {
      ...base("x.h5ad"),
      view: "tree",
      format: "anndata",
      facts: [["cells", "700"]],
      nodes: [{ path: "/obs/louvain", kind: "dataset", shape: [700, 2], type: "float32", detail: "" }],
      truncated: false,
    },
    "x.h5ad",
  );
  expect(await screen.findByText("700 × 2")).toBeInTheDocument();
  expect(screen.getByText("cells").nextElementSibling).toHaveTextContent("700");
});

test("details have the address, and what was read", async () => {
  const { user, copied } = preview(text("a.txt"));
  await user.click(await screen.findByRole("button", { name: "Details" }));
  const pane = screen.getByRole("region", { name: "Preview of a.txt" });
  expect(within(pane).getByText("s3://lab/data/a.txt")).toBeInTheDocument();
  expect(within(pane).getByText("Read for this preview").nextElementSibling).toHaveTextContent("100 B");
  await user.click(within(pane).getByRole("button", { name: "Copy the path" }));
  expect(copied).toEqual(["s3://lab/data/a.txt"]);
});

test("in a sidebar a preview opens elsewhere where the host has a place, and over the list where not", async () => {
  const openPreview = vi.fn();
  const server = new Server()
    .on("GET /data-links/l1/browse", page([file("a.txt")]))
    .on(`GET ${PREVIEW}`, text("a.txt"));
  const { user, unmount } = show(server, undefined, { openPreview, layout: "compact" });
  await user.click(await screen.findByText("a.txt"));
  expect(openPreview).toHaveBeenCalledWith(link(), file("a.txt"));
  unmount();
  const again = show(server, undefined, { layout: "compact" });
  await again.user.click(await screen.findByText("a.txt"));
  expect(await screen.findByText("hello")).toBeInTheDocument();
  expect(screen.queryByRole("grid")).toBeNull();
  await again.user.click(screen.getByRole("button", { name: "Back to the list" }));
  expect(await screen.findByRole("grid")).toBeInTheDocument();
});
