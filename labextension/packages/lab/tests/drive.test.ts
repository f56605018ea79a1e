import { DataClient, type Entry } from "@jupyterhub-studios/explorer";
import { ServerConnection } from "@jupyterlab/services";
import { beforeEach, describe, expect, it } from "vitest";
import { DataDrive } from "../src/drive";

/** A store of one file behind the API, as far as the drive asks for it. */
class Store {
  body = new TextEncoder().encode("hello\n");
  version = 1;
  gone = false;
  writable = true;
  asked: string[] = [];

  get entry(): Partial<Entry> {
    return {
      name: "a.txt",
      path: "a.txt",
      kind: "file",
      size: this.body.length,
      modified: "2026-01-01T00:00:00Z",
      etag: `"${this.version}"`,
    };
  }

  request = async (path: string, init: RequestInit): Promise<Response> => {
    const [address = "", search = ""] = path.split("?");
    const route = `${init.method ?? "GET"} ${address.replace("/data-links/dl-1", "")}`;
    this.asked.push(route);
    switch (route) {
      case "GET ":
        return Response.json({
          id: "dl-1",
          name: "Link",
          role: "write",
          writable: this.writable,
        });
      case "GET /entry":
        return this.gone
          ? problem(404, "“a.txt” does not exist", "it was removed", "reload")
          : Response.json(this.entry);
      case "GET /raw":
        return new Response(this.body);
      case "PUT /upload":
        if (!this.gone && new URLSearchParams(search).get("replace") !== "true")
          return problem(409, "“a.txt” exists already", "nothing was changed", "choose another name");
        this.body = new Uint8Array(await (init.body as Blob).arrayBuffer());
        this.version++;
        this.gone = false;
        return Response.json(this.entry);
      default:
        throw new Error(`not expected: ${route}`);
    }
  };
}

const problem = (status: number, title: string, detail: string, action: string): Response =>
  new Response(JSON.stringify({ title, status, detail, action }), {
    status,
    headers: { "Content-Type": "application/problem+json" },
  });

const PATH = "dl-1/a.txt";
let store: Store;
let drive: DataDrive;
let largest: number;

beforeEach(() => {
  store = new Store();
  largest = 1_000_000;
  const client = new DataClient({ base: "", request: store.request });
  drive = new DataDrive(client, ServerConnection.makeSettings(), () => largest);
});

const save = (content: string): Promise<unknown> =>
  drive.save(PATH, { type: "file", format: "text", content });

describe("reading", () => {
  it("gives the text, its version and whether it may be saved", async () => {
    const model = await drive.get(PATH);
    expect(model).toMatchObject({
      name: "a.txt",
      path: PATH,
      content: "hello\n",
      hash: '"1"',
      writable: true,
    });
    store.writable = false;
    expect((await drive.get(PATH, { content: false })).writable).toBe(false);
  });

  it("does not fetch what is not asked for", async () => {
    expect((await drive.get(PATH, { content: false })).content).toBeNull();
    expect(store.asked).not.toContain("GET /raw");
  });

  it("keeps a byte order mark", async () => {
    store.body = new Uint8Array([0xef, 0xbb, 0xbf, 0x61]);
    expect((await drive.get(PATH)).content).toBe("\ufeffa");
  });

  it("refuses what is too large before it is fetched", async () => {
    largest = 3;
    await expect(drive.get(PATH)).rejects.toThrow(/too large for the editor/);
    expect(store.asked).not.toContain("GET /raw");
  });

  it.each([[[0xff, 0xfe, 0x00]], [[0x61, 0x00, 0x62]]])("refuses what is no text: %j", async (bytes) => {
    store.body = new Uint8Array(bytes);
    await expect(drive.get(PATH)).rejects.toThrow(/not a text in UTF-8/);
  });

  it("tells the whole problem", async () => {
    store.gone = true;
    await expect(drive.get(PATH)).rejects.toThrow("“a.txt” does not exist. it was removed. reload");
  });

  it("has no folders", async () => {
    for (const path of ["", "dl-1"]) await expect(drive.get(path)).rejects.toThrow(/Data panel/);
  });
});

describe("saving", () => {
  it("replaces what was read, and goes on from there", async () => {
    await drive.get(PATH);
    await save("one");
    await save("two");
    expect(new TextDecoder().decode(store.body)).toBe("two");
    expect((await drive.get(PATH, { content: false })).hash).toBe('"3"');
  });

  it("does not overwrite what somebody else has changed", async () => {
    await drive.get(PATH);
    store.version = 7;
    await expect(save("mine")).rejects.toThrow(/Somebody else has just changed/);
    expect(store.asked).not.toContain("PUT /upload");
  });

  it("overwrites it when it was looked at since: JupyterLab has asked", async () => {
    await drive.get(PATH);
    store.version = 7;
    await drive.get(PATH, { content: false });
    await save("mine");
    expect(new TextDecoder().decode(store.body)).toBe("mine");
  });

  it("makes again what was deleted", async () => {
    await drive.get(PATH);
    store.gone = true;
    await save("back");
    expect(store.gone).toBe(false);
  });

  it("does not replace what was never read", async () => {
    await expect(save("new")).rejects.toThrow(/exists already/);
  });

  it("refuses what the API would not take", async () => {
    await drive.get(PATH);
    await expect(save("x".repeat(33 * 1024 * 1024))).rejects.toThrow(/too large to save/);
    await expect(drive.save(PATH, { type: "file", format: "base64", content: "" })).rejects.toThrow(
      /Only texts/,
    );
  });
});

describe("what belongs in the panel", () => {
  it("says so", async () => {
    for (const work of [drive.rename(), drive.copy(), drive.newUntitled(), drive.delete()])
      await expect(work).rejects.toThrow(/Data panel/);
    expect(await drive.listCheckpoints()).toEqual([]);
  });
});
