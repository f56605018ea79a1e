import { expect, test } from "vitest";
import { pieces, plain, tail } from "../src/components/log-text";
import { parseValues, valuesOf } from "../src/forms/values";
import { ago, duration, memory, size } from "../src/text";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [999_499, "999 kB"],
  [999_600, "1.0 MB"],
  [120_000_000, "120 MB"],
  [5_000_000_000_000, "5.0 TB"],
])("size %d is %s", (bytes, text) => expect(size(bytes)).toBe(text));

test.each([
  [-5, "0.0 s"],
  [9_940, "9.9 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_725_000, "1 h 2 min"],
  [90_000_000, "1 d 1 h"],
])("duration %d is %s", (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  [0, "just now"],
  [-30, "just now"],
  [45, "45 s ago"],
  [185, "3 min ago"],
  [7_300, "2 h ago"],
  [260_000, "3 d ago"],
])("%d s ago is %s", (s, text) => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  expect(ago(new Date(now - s * 1000).toISOString(), now)).toBe(text);
});

test("memory is told in the unit that is round", () => {
  expect([memory(512), memory(8192), memory(1536)]).toEqual(["512 MiB", "8 GiB", "1.5 GiB"]);
});

test("a form gives back what it was given", () => {
  const given = {
    name: "A",
    description: "d",
    cpus: 0.5,
    memory_mib: 300,
    lifespan_hours: 0,
    environment: { A: "", B: "2" },
  };
  expect(parseValues(valuesOf(given))).toEqual(given);
});

test("terminal sequences go, redrawn lines keep their last state", () => {
  expect(plain("a\u001b[1;31mb\u001b[0m\u001b]0;title\u0007c\r\n1%\r2%\r3%\nend")).toBe("abc\n3%\nend");
});

test("matches are found in any case and numbered", () => {
  const found = pieces("Error, error", "ERROR");
  expect(found.matches).toBe(2);
  expect(found.pieces.map((p) => p.text).join("")).toBe("Error, error");
  expect(found.pieces.filter((p) => p.match !== undefined).map((p) => p.text)).toEqual(["Error", "error"]);
});

test("the tail keeps the last lines and counts the others", () => {
  expect(tail("1\n2\n3\n4\n", 2)).toEqual({ text: "3\n4\n", hidden: 2 });
  expect(tail("1\n2\n", 2)).toEqual({ text: "1\n2\n", hidden: 0 });
});
