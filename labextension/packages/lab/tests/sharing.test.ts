import { expect, test } from "vitest";
import { sharingPage, stopWords } from "../src/sharing/words";

test("the page of sharing knows which notebook is open, whatever its name", () => {
  const page = "/@/space%20word/services/studios/studios/st-1";
  expect(sharingPage(page, null)).toBe(`${page}?tab=sharing`);
  const address = new URL(sharingPage(page, "a folder/50% ü?.ipynb"), "http://hub");
  expect(address.searchParams.get("open")).toBe("lab/tree/a%20folder/50%25%20%C3%BC%3F.ipynb");
});

test("a stop is told with who and when", () => {
  expect(stopWords({ reason: null, seconds: null })).toBeNull();
  expect(stopWords({ reason: "Stopped by alpha.", seconds: 29.6 })).toBe(
    "Stopped by alpha. This studio ends in 30 s. Everything is saved; running programs end.",
  );
  expect(stopWords({ reason: "Stopped by alpha.", seconds: 0 })).toContain("ends now");
});
