import { PageConfig } from "@jupyterlab/coreutils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { LifetimeClient } from "../src/lifetime/client";
import { noticing } from "../src/lifetime/input";
import { dueWarning, spoken, until } from "../src/lifetime/words";

describe("words", () => {
  it.each([
    [3600, "an hour"],
    [7200, "2 h"],
    [5400, "1 h 30 min"],
    [600, "10 min"],
    [45, "45 s"],
    [-1, "0 s"],
  ])("says %d seconds as %s", (seconds, words) => expect(spoken(seconds)).toBe(words));

  it("warns by the nearest threshold that has passed", () => {
    const now = Date.now();
    const at = (minutes: number): string => new Date(now + minutes * 60_000).toISOString();
    const due = (minutes: number): number | null => dueWarning(at(minutes), [60, 15, 5], now);
    expect([61, 60, 15, 4, 0].map(due)).toEqual([null, 60, 15, 5, null]);
    expect(dueWarning(null, [60], now)).toBeNull();
    expect(until(at(-5), now)).toBe(0);
  });
});

describe("input", () => {
  const by = (type: string, isTrusted = true) => ({ type, isTrusted });

  it("is told at most once in the given time, however much there is", () => {
    let clock = 0;
    const tell = vi.fn();
    const seen = noticing(
      tell,
      () => 60,
      () => clock,
    );
    seen(by("keydown"));
    seen(by("pointerdown"));
    clock = 59_999;
    seen(by("wheel"));
    expect(tell).toHaveBeenCalledTimes(1);
    clock = 60_000;
    seen(by("keydown"));
    expect(tell).toHaveBeenCalledTimes(2);
  });

  it("is what people do, not what scripts do or a pointer that passes over a window behind", () => {
    const tell = vi.fn();
    const seen = noticing(
      tell,
      () => 0,
      () => 0,
    );
    const focus = vi.spyOn(document, "hasFocus").mockReturnValue(false);
    seen(by("keydown", false));
    seen(by("pointermove"));
    expect(tell).not.toHaveBeenCalled();
    focus.mockReturnValue(true);
    seen(by("pointermove"));
    expect(tell).toHaveBeenCalledTimes(1);
  });
});

describe("the gate", () => {
  beforeEach(() => PageConfig.setOption("baseUrl", "/@/space%20word/user/ada/lab/"));

  it("is asked below the studio's own prefix", async () => {
    const told = { session_id: "se-1", own: true, notice: null };
    const fetched = vi.fn(() => Promise.resolve(new Response(JSON.stringify(told))));
    vi.stubGlobal("fetch", fetched);
    const client = new LifetimeClient();
    expect(await client.told()).toEqual(told);
    expect(fetched).toHaveBeenCalledWith(
      expect.stringContaining("/@/space%20word/user/ada/lab/_studio/lifetime"),
      expect.anything(),
    );
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(null, { status: 403 })));
    await expect(client.wish("stop")).rejects.toThrow("403");
  });
});
