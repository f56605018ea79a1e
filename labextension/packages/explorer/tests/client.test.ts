import { expect, test } from "vitest";
import { DataClient } from "../src/client";
import { ProblemError, isPassing } from "../src/problems";
import type { Found } from "../src/types";
import { Lines, Refusal, Server } from "./server";

const live = (): AbortSignal => new AbortController().signal;

test("odd paths arrive as they are", async () => {
  const server = new Server();
  const client = new DataClient(server);
  await client.browse("l1", "a//ü +%\t&=/", {});
  expect(server.asked[0]?.query.get("path")).toBe("a//ü +%\t&=/");
  expect(client.rawUrl("l 1", "a b+c")).toBe(`${server.base}/data-links/l%201/raw?path=a+b%2Bc`);
});

test("the root of a link can be downloaded too", async () => {
  const server = new Server().on("HEAD /data-links/l1/archive", new Response(null));
  expect(await new DataClient(server).archiveUrl("l1", [""])).toBe(
    `${server.base}/data-links/l1/archive?path=`,
  );
});

test("a refused download brings its reason, which a HEAD has not", async () => {
  const refusal = new Refusal(413, "Too many files for a zip", { detail: "at most 1,000" });
  const server = new Server()
    .on("HEAD /data-links/l1/archive", refusal)
    .on("GET /data-links/l1/archive", refusal);
  const error = await new DataClient(server).archiveUrl("l1", ["a/"]).catch((caught: unknown) => caught);
  expect((error as ProblemError).problem.detail).toBe("at most 1,000");
});

test("a stream's fault is its last line", async () => {
  const problem = new Refusal(502, "The store went away").problem;
  const server = new Server().on(
    "GET /data-links/l1/search",
    new Lines([{ entry: null, scanned: 10, complete: false }, { problem }]),
  );
  const seen: Found[] = [];
  const read = async (): Promise<void> => {
    for await (const line of new DataClient(server).search("l1", "", "x", live())) seen.push(line);
  };
  await expect(read()).rejects.toThrow("The store went away");
  expect(seen.map(({ scanned }) => scanned)).toEqual([10]);
});

test("a stream that ends in the middle of a line was cut", async () => {
  const server = new Server().on(
    "GET /data-links/l1/total",
    new Response('{"files":1,"bytes":2,"complete":false}\n{"fi'),
  );
  const read = async (): Promise<number> => {
    let lines = 0;
    for await (const line of new DataClient(server).total("l1", "", live())) lines += line.files;
    return lines;
  };
  await expect(read()).rejects.toThrow("The answer was cut off");
});

test("lines are whole however their bytes arrive", async () => {
  const bytes = new TextEncoder().encode('{"files":1,"bytes":2,"name":"ü😀"}\n{"files":2}\n');
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const server = new Server().on("GET /data-links/l1/total", new Response(body));
  const files: number[] = [];
  for await (const line of new DataClient(server).total("l1", "", live())) files.push(line.files);
  expect(files).toEqual([1, 2]);
});

test("nobody there is a problem that passes; a refusal is not", async () => {
  const server = new Server().on("GET /data-links/l1/entry", new Refusal(403, "You may not"));
  const client = new DataClient(server);
  const refused = await client.entry("l1", "x").catch((error: unknown) => error);
  server.down = true;
  const lost = await client.entry("l1", "x").catch((error: unknown) => error);
  expect([refused, lost].map((error) => isPassing((error as ProblemError).problem))).toEqual([false, true]);
});
