import { expect, test } from "vitest";
import { clockOffset } from "../src/api/client";

test.each([
  ["told while the answer waited for news", 4_000, 1_000, 31_000, 0],
  ["told when it was asked", 1_000, 1_000, 31_000, 0],
  ["told when it answered", 31_000, 1_000, 31_000, 0],
  ["of a clock behind", 1_000, 61_000, 62_000, -60_000],
  ["of a clock ahead", 130_000, 61_000, 70_000, 60_000],
])("a server's time %s", (_, told, asked, answered, offset) => {
  expect(clockOffset(told, asked, answered)).toBe(offset);
});
