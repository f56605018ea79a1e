import { describe, expect, test } from "vitest";
import { nextSort, sorted } from "../src/browser/sort";
import { merged } from "../src/hooks/use-listing";
import { nameFrom, providerOf } from "../src/links/address";
import { EMPTY, faultsOf, secretTypes, specOf } from "../src/links/credential-values";
import { addressOf, crumbsOf, nameFault, nameOf, numbered, parentOf } from "../src/paths";
import { jumpTo } from "../src/preview/text";
import { halves, size, visible } from "../src/text";
import { file, folder, link } from "./server";

describe("paths", () => {
  test.each([
    ["a/b/c.txt", "a/b/", "c.txt"],
    ["a/b/", "a/", "b"],
    ["a.txt", "", "a.txt"],
    ["a//", "a/", ""],
    ["a//b.txt", "a//", "b.txt"],
  ])("%j lies in %j and is named %j", (path, parent, name) => {
    expect([parentOf(path), nameOf(path)]).toEqual([parent, name]);
  });

  test("every folder on the way is a crumb, those without a name too", () => {
    expect(crumbsOf("a//b/").map(({ path }) => path)).toEqual(["a/", "a//", "a//b/"]);
  });

  test("an address is the link's and the path as it is", () => {
    expect(addressOf(link(), "100% +x.txt")).toBe("s3://lab/data/100% +x.txt");
    expect(addressOf(link({ url: "s3://lab" }), "x")).toBe("s3://lab/x");
  });

  test.each([
    ["reads.fastq.gz", "reads (2).fastq.gz"],
    [".bashrc", ".bashrc (2)"],
    ["plain", "plain (2)"],
  ])("%j kept beside another is %j", (name, kept) => expect(numbered(name, 2)).toBe(kept));

  test.each(["", " ", "a/b", ".", "..", "ä".repeat(128)])("%j is no name", (name) =>
    expect(nameFault(name)).toBeDefined(),
  );
});

describe("words", () => {
  test("what cannot be seen is made visible", () => {
    expect([visible("a\tb"), visible(""), visible("\u007f")]).toEqual(["a␉b", "(no name)", "␡"]);
  });

  test("a long name is cut in its middle, never within a letter", () => {
    expect(halves("sample_000_S1_L001.fastq.gz")).toEqual(["sample_000_S1_L", "001.fastq.gz"]);
    expect(halves("😀".repeat(4)).join("")).toBe("😀".repeat(4));
  });

  test.each([
    [999, "999 B"],
    [1000, "1.0 kB"],
    [5e9, "5.0 GB"],
    [2e15, "2.0 PB"],
  ])("%d bytes are %s", (bytes, text) => expect(size(bytes)).toBe(text));

  test.each<[string, number | null, number | undefined]>([
    ["50%", 1000, 500],
    ["1,234", 10_000, 1234],
    ["99999", 1000, 999],
    ["101%", 1000, undefined],
    ["50%", null, undefined],
    ["end", 1000, undefined],
  ])("jump to %j of %j is %j", (text, length, at) => expect(jumpTo(text, length)).toBe(at));
});

describe("rows", () => {
  const rows = [
    folder("z/"),
    file("a10", { size: 1 }),
    file("a9", { size: null }),
    file("B", { size: 30, modified: "2026-11-23T00:00:00Z" }),
  ];

  test("names sort as people count, folders first", () => {
    expect(sorted(rows, { by: "name", down: false }).map((row) => row.name)).toEqual(["z", "a9", "a10", "B"]);
  });

  test("what has no size comes last both ways", () => {
    expect(sorted(rows, { by: "size", down: true }).map((row) => row.name)).toEqual(["z", "B", "a10", "a9"]);
    expect(sorted(rows, { by: "size", down: false }).map((row) => row.name)).toEqual(["z", "a10", "B", "a9"]);
  });

  test("a head goes through both ways and back to the store's order", () => {
    const first = nextSort(undefined, "size");
    const second = nextSort(first, "size");
    expect([first, second, nextSort(second, "size")]).toEqual([
      { by: "size", down: true },
      { by: "size", down: false },
      undefined,
    ]);
  });

  test("what is new goes where the store would list it, and not beyond the last loaded page", () => {
    const items = [folder("b/"), file("c"), file("e")];
    expect(merged(items, [file("d")], true).map(({ path }) => path)).toEqual(["b/", "c", "d", "e"]);
    expect(merged(items, [file("z")], true)).toHaveLength(3);
    expect(merged(items, [file("z")], false).at(-1)?.path).toBe("z");
    expect(merged(items, [file("c", { size: 99 })], false)[1]?.size).toBe(99);
    expect(merged(items, [folder("c/")], false).map(({ path }) => path)).toEqual(["b/", "c/", "c", "e"]);
  });
});

describe("addresses and credentials", () => {
  test.each([
    ["s3://1000genomes", false, "s3"],
    ["gs://b/x/", false, "gcs"],
    ["abfss://c/x", false, "azure"],
    ["file:///data", true, "folder"],
    ["sftp://host/x", true, "other"],
  ])("%s (own machine: %s) is of %s", (url, own, provider) =>
    expect(providerOf(url, own)).toEqual({ found: provider }),
  );

  test.each([
    ["bucket", "It starts with"],
    ["s3://", "bucket is missing"],
    ["file:///data", "administrator"],
  ])("%s is refused on the service", (url, fault) => expect(providerOf(url, false).fault).toContain(fault));

  test("a name comes from the address", () => {
    expect([nameFrom("s3://lab/"), nameFrom("gs://lab/a/b/")]).toEqual(["lab", "b"]);
  });

  test("only on one's own machine the machine's credentials are offered", () => {
    expect(secretTypes("s3", false)).toEqual(["access-key", "anonymous"]);
    expect(secretTypes("s3", true)).toEqual(["access-key", "profile", "ambient", "anonymous"]);
  });

  test("each kind asks for its fields, and sends no others", () => {
    expect(Object.keys(faultsOf(EMPTY))).toEqual(["name", "access_key_id", "secret_access_key"]);
    const values = { ...EMPTY, name: "n", provider: "azure" as const, type: "azure-sas" as const };
    expect(Object.keys(faultsOf(values))).toEqual(["account", "sas"]);
    expect(specOf({ ...values, account: "acc", sas: " s ", key: "left over" })).toEqual({
      name: "n",
      provider: "azure",
      secret: { type: "azure-sas", account: "acc", sas: "s" },
      endpoint: null,
      region: null,
      account: null,
    });
  });

  test("a key file that is no JSON is told before it is sent", () => {
    const values = { ...EMPTY, provider: "gcs" as const, type: "service-account" as const, name: "n" };
    expect(faultsOf({ ...values, key_json: "{" }).key_json).toBe("This is not JSON");
  });
});
