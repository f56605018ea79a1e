import type { LinkView } from "@jupyterhub-studios/explorer";
import { describe, expect, it } from "vitest";
import { PathExt } from "@jupyterlab/coreutils";
import { findPlace, placeIn, storeAddress, withoutPlace, PLACE_PATTERN } from "../src/addresses";
import { drivePath, fileAt } from "../src/drive-path";

const local = (path: string): string => path.slice(path.indexOf(":") + 1);

describe("paths of the drive", () => {
  it.each([
    "a.txt",
    "a/b.txt",
    "a//b.txt",
    "/lead.txt",
    "50%.txt",
    "%e",
    "a/%25",
    "ä b/ü+.txt",
    "a:b.txt",
    "x/",
  ])("%s comes back as it was, also past JupyterLab's own tidying", (path) => {
    const full = drivePath({ link: "dl-1", path });
    expect(full.startsWith("Data:dl-1/")).toBe(true);
    expect(fileAt(PathExt.join(...local(full).split("/")))).toEqual({ link: "dl-1", path });
  });

  it("names are shown as they are", () => {
    expect(drivePath({ link: "dl-1", path: "run 1/ä.csv" })).toBe("Data:dl-1/run 1/ä.csv");
  });

  it("the drive and a link are no files", () => {
    for (const path of ["", "/", "dl-1", "/dl-1"]) expect(fileAt(path)).toBeNull();
  });
});

const link = (fields: Partial<LinkView>): LinkView => ({ ...fields }) as LinkView;
const LINKS = [
  link({ id: "whole", name: "Whole", url: "s3://bucket/" }),
  link({ id: "part", name: "Part", url: "s3://bucket/part/" }),
  link({ id: "folder", name: "Home", url: "file:///home/ada" }),
];

describe("places by their names", () => {
  it.each([
    ["s3://bucket", null],
    ["s3://bucket/", { link: "whole", path: "" }],
    ["s3://bucket/a/", { link: "whole", path: "a/" }],
    ["s3://bucket/a/b.txt", { link: "whole", path: "a/", file: "a/b.txt" }],
    ["s3://bucket/part/x", { link: "part", path: "", file: "x" }],
    [" file:///home/ada/notes/ ", { link: "folder", path: "notes/" }],
    ["file:///home/adam/", null],
    ["Home", { link: "folder", path: "" }],
    ["Part/a/", { link: "part", path: "a/" }],
    ["Nobody/a", null],
  ])("%s", (text, place) => {
    expect(findPlace(text, LINKS)).toEqual(place);
  });

  it("has an address in its store", () => {
    expect(storeAddress(LINKS[2]!, { link: "folder", path: "a/", file: "a/b" })).toBe("file:///home/ada/a/b");
    expect(storeAddress(LINKS[1]!, { link: "part", path: "a/" })).toBe("s3://bucket/part/a/");
  });
});

describe("places in JupyterLab's address", () => {
  it("are read, and taken away", () => {
    const search = "?reset&data-link=dl-1&data-path=a%2Fb%2F&data-file=a%2Fb%2Fc%2Bd";
    expect(PLACE_PATTERN.test(`/lab${search}`)).toBe(true);
    expect(placeIn(search)).toEqual({ link: "dl-1", path: "a/b/", file: "a/b/c+d" });
    expect(withoutPlace(search)).toBe("?reset=");
    expect(placeIn("?data-link=dl-1")).toEqual({ link: "dl-1", path: "" });
    expect(placeIn("?reset")).toBeNull();
  });
});
