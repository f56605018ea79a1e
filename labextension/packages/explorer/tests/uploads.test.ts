import { beforeEach, describe, expect, test, vi } from "vitest";
import { DataClient } from "../src/client";
import { dropped } from "../src/transfers/pick";
import { WHOLE } from "../src/transfers/send";
import { Uploads, type UploadState } from "../src/transfers/uploads";
import { Refusal, Server, file, type Asked } from "./server";

const PART = 5 * 2 ** 20;
let server: Server;
let uploads: Uploads;

beforeEach(() => {
  server = new Server();
  uploads = new Uploads(new DataClient(server), [1, 1, 1]);
});

const some = (name: string, bytes = 5): File => new File([new Uint8Array(bytes)], name);
const states = (): UploadState[] => uploads.snapshot().map(({ state }) => state);
const settled = (): Promise<void> => vi.waitFor(() => expect(uploads.settled()).toBe(true));
const putPath = "/data-links/l1/upload";
const stored = ({ query }: Asked) => file(query.get("path") ?? "");

describe("whole files", () => {
  test("go below the folder with their own folders, and are told when they arrive", async () => {
    server.on(`PUT ${putPath}`, stored);
    const arrived: string[] = [];
    uploads.onArrived((_link, path) => arrived.push(path));
    uploads.add("l1", "to/", [
      { file: some("a.csv"), path: "run/a.csv" },
      { file: some("b"), path: "b" },
    ]);
    await settled();
    expect(arrived.sort()).toEqual(["to/b", "to/run/a.csv"]);
    expect(server.last("PUT", putPath)?.query.get("replace")).toBe("false");
  });

  test("no more than three at once", async () => {
    let [running, most] = [0, 0];
    server.on(`PUT ${putPath}`, async (asked: Asked) => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return stored(asked);
    });
    uploads.add(
      "l1",
      "",
      Array.from({ length: 8 }, (_, n) => ({ file: some(`${n}`), path: `${n}` })),
    );
    await settled();
    expect(most).toBe(3);
  });

  test("what fails in passing is tried again, what is refused is not", async () => {
    let tries = 0;
    server.on(`PUT ${putPath}`, (asked: Asked) => {
      if (asked.query.get("path") === "no") return new Refusal(403, "Read-only");
      tries += 1;
      return tries < 3 ? new Refusal(503, "Slow down") : stored(asked);
    });
    uploads.add("l1", "", [
      { file: some("yes"), path: "yes" },
      { file: some("no"), path: "no" },
    ]);
    await settled();
    expect([tries, states()]).toEqual([3, ["done", "failed"]]);
    server.on(`PUT ${putPath}`, stored);
    uploads.retry();
    await settled();
    expect(states()).toEqual(["done", "done"]);
  });

  test("it gives up in the end, and says why", async () => {
    server.on(`PUT ${putPath}`, new Refusal(503, "The store is down"));
    uploads.add("l1", "", [{ file: some("a"), path: "a" }]);
    await settled();
    expect(uploads.snapshot()[0]?.problem?.title).toBe("The store is down");
    expect(server.all("PUT", putPath)).toHaveLength(4);
  });

  test("a cancelled one is aborted", async () => {
    let signal: AbortSignal | undefined;
    server.on(`PUT ${putPath}`, (asked: Asked) => {
      signal = asked.signal;
      return new Promise(() => undefined);
    });
    uploads.add("l1", "", [{ file: some("a"), path: "a" }]);
    await vi.waitFor(() => expect(signal).toBeDefined());
    uploads.cancel();
    expect([states(), signal?.aborted]).toEqual([["cancelled"], true]);
  });
});

describe("a taken name", () => {
  const taken = new Set(["a.txt", "a (2).txt", "b.txt"]);
  beforeEach(() => {
    server.on(`PUT ${putPath}`, (asked: Asked) =>
      taken.has(asked.query.get("path") ?? "") && asked.query.get("replace") === "false"
        ? new Refusal(409, "It exists already")
        : stored(asked),
    );
    uploads.add("l1", "", [
      { file: some("a.txt"), path: "a.txt" },
      { file: some("b.txt"), path: "b.txt" },
    ]);
    return vi.waitFor(() => expect(states()).toEqual(["taken", "taken"]));
  });

  test("is replaced or skipped, one by one", async () => {
    uploads.answer(1, "replace", false);
    uploads.answer(2, "skip", false);
    await settled();
    expect(states()).toEqual(["done", "skipped"]);
    expect(server.last("PUT", putPath)?.query.get("replace")).toBe("true");
  });

  test("is kept beside the other, with the first number that is free", async () => {
    uploads.answer(1, "keep", true);
    await settled();
    expect(uploads.snapshot().map(({ path }) => path)).toEqual(["a (3).txt", "b (2).txt"]);
  });
});

describe("big files", () => {
  const parts = (): number[] =>
    server.all("PUT", "/data-links/l1/uploads/part").map(({ query }) => Number(query.get("number")));

  beforeEach(() => {
    server
      .on("POST /data-links/l1/uploads", { id: "u1", part_size: PART, parallel: true })
      .on("PUT /data-links/l1/uploads/part", ({ query }: Asked) => ({
        number: Number(query.get("number")),
        tag: `t${query.get("number") ?? ""}`,
      }))
      .on("POST /data-links/l1/uploads/finish", file("big"))
      .on("DELETE /data-links/l1/uploads", null);
  });

  test("go in parts, which are named in order whatever order they came in", async () => {
    uploads.add("l1", "", [{ file: some("big", 2 * PART + 7), path: "big" }]);
    await settled();
    expect(states()).toEqual(["done"]);
    expect(server.last("POST", "/data-links/l1/uploads/finish")?.body).toEqual({
      parts: [1, 2, 3].map((number) => ({ number, tag: `t${number}` })),
    });
    const sizes = server.all("PUT", "/data-links/l1/uploads/part").map(({ body }) => (body as Blob).size);
    expect(sizes.sort()).toEqual([7, PART, PART].sort());
  });

  test("parts that must come in order do", async () => {
    server.on("POST /data-links/l1/uploads", { id: "u1", part_size: PART, parallel: false });
    let running = 0;
    server.on("PUT /data-links/l1/uploads/part", async ({ query }: Asked) => {
      expect((running += 1)).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return { number: Number(query.get("number")), tag: "t" };
    });
    uploads.add("l1", "", [{ file: some("big", 3 * PART), path: "big" }]);
    await settled();
    expect([states(), parts()]).toEqual([["done"], [1, 2, 3]]);
  });

  test("one part that fails in passing is sent again alone", async () => {
    let failed = false;
    server.on("PUT /data-links/l1/uploads/part", ({ query }: Asked) => {
      if (query.get("number") === "2" && !failed) {
        failed = true;
        return new Refusal(502, "Bad gateway");
      }
      return { number: Number(query.get("number")), tag: "t" };
    });
    uploads.add("l1", "", [{ file: some("big", 2 * PART), path: "big" }]);
    await settled();
    expect([states(), parts().sort()]).toEqual([["done"], [1, 2, 2]]);
  });

  test("a cancelled one leaves no parts behind", async () => {
    server.on("PUT /data-links/l1/uploads/part", () => new Promise(() => undefined));
    uploads.add("l1", "", [{ file: some("big", WHOLE + 1), path: "big" }]);
    await vi.waitFor(() => expect(parts()).not.toEqual([]));
    uploads.cancel();
    expect(states()).toEqual(["cancelled"]);
    await vi.waitFor(() => expect(server.last("DELETE", "/data-links/l1/uploads")).toBeDefined());
  });

  test("a refused one throws its parts away", async () => {
    server.on("PUT /data-links/l1/uploads/part", new Refusal(403, "No"));
    uploads.add("l1", "", [{ file: some("big", WHOLE + 1), path: "big" }]);
    await settled();
    expect(server.last("DELETE", "/data-links/l1/uploads")?.query.get("id")).toBe("u1");
  });
});

test("a dropped folder is read to its end, batch by batch", async () => {
  const entry = (name: string): FileSystemEntry =>
    ({
      isFile: true,
      name,
      file: (done: (file: File) => void) => done(some(name)),
    }) as unknown as FileSystemEntry;
  const batches = [[entry("a"), entry("b")], [entry("c")], []];
  const run = {
    isFile: false,
    name: "run",
    createReader: () => ({
      readEntries: (done: (found: FileSystemEntry[]) => void) => done(batches.shift() ?? []),
    }),
  };
  const items = [{ kind: "file", webkitGetAsEntry: () => run }, { kind: "string" }];
  const found = await dropped({ items } as unknown as DataTransfer);
  expect(found.map(({ path }) => path)).toEqual(["run/a", "run/b", "run/c"]);
});
