import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { expect, test, vi } from "vitest";
import type { Studio } from "../src/api/types";
import { visit } from "./render";
import { BASE, Refusal, Service, ago, checkpoint, session, studio } from "./server";

const starting = (): Studio =>
  studio({
    state: "starting",
    may: ["stop", "edit"],
    session: session({
      state: "starting",
      started_at: ago(5),
      ready_at: null,
      phases: [
        { name: "queued", status: "done", started_at: ago(5), ended_at: ago(4), message: "" },
        { name: "host", status: "running", started_at: ago(4), ended_at: null, message: "" },
      ],
    }),
  });
const running = (): Studio =>
  studio({ state: "running", may: ["open", "stop", "save", "edit"], session: session() });

test("phases pass with times, and ready gives “Open” the focus", async () => {
  const replace = new Service().show(starting());
  visit("studios/st-1");
  const phases = await screen.findByRole("list", { name: "Phases of the start" });
  const rows = within(phases).getAllByRole("listitem");
  expect(rows.map((row) => row.dataset.phase)).toEqual([
    "queued",
    "host",
    "image",
    "restore",
    "data",
    "app",
    "ready",
  ]);
  expect(rows[0]).toHaveTextContent(/Queue \(done\).*1\.0 s/);
  expect(rows[1]).toHaveTextContent(/Host \(running\).*4\.\d s/);
  expect(rows[1]).toHaveAttribute("aria-current", "step");
  expect(rows[2]).toHaveTextContent(/Image \(to come\)/);

  act(() => replace(running()));
  expect(await screen.findByRole("link", { name: "Open" })).toHaveFocus();
  expect(screen.queryByRole("list", { name: "Phases of the start" })).toBeNull();
});

test("“Start and open” leaves for the studio when it is ready, once", async () => {
  const service = new Service();
  const replace = service.show(studio());
  service.on("POST /studios/st-1/start", starting());
  const assign = vi.fn();
  // jsdom cannot leave a page, and does not let its location be changed.
  const { location: here } = document;
  const there = Object.defineProperties(
    { assign, origin: here.origin },
    { pathname: { get: () => here.pathname }, search: { get: () => here.search } },
  );
  vi.stubGlobal("location", there);
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Start and open" }));
  expect(await screen.findByRole("switch", { name: "Open it when it is ready" })).toBeChecked();
  expect(assign).not.toHaveBeenCalled();
  act(() => replace(running()));
  await waitFor(() => expect(assign).toHaveBeenCalledExactlyOnceWith("/@/space%20word/user/alpha/atlas/lab"));
  expect(history.state).toEqual({});
  vi.unstubAllGlobals();
});

test("a failed start shows the phase that failed and the way on", async () => {
  const failed = session({
    state: "errored",
    phases: [
      { name: "app", status: "failed", started_at: ago(40), ended_at: ago(10), message: "no such program" },
    ],
  });
  new Service().show(studio({ state: "errored", message: "The app did not come up", session: failed }));
  visit("studios/st-1");
  expect(await screen.findByRole("heading", { name: "The start failed" })).toBeVisible();
  expect(screen.getByText("The app did not come up.")).toBeVisible();
  expect(screen.getByText("No such program.")).toBeVisible();
  expect(screen.getByRole("button", { name: "Look at its log" })).toBeVisible();
});

test("a stop that waits for the bucket says how often it failed, and force warns first", async () => {
  const service = new Service().on("GET /sessions/se-1/events", {
    items: [
      { at: ago(900), kind: "save-failed", message: "an old trouble", level: "error" },
      { at: ago(700), kind: "stop", message: "Stopped by alpha", level: "info" },
      { at: ago(690), kind: "save-failed", message: "the bucket does not answer", level: "error" },
      { at: ago(600), kind: "save-failed", message: "the bucket does not answer", level: "error" },
    ],
    next: null,
  });
  service.show(
    studio({
      state: "stopping",
      may: ["force"],
      session: session({ state: "stopping" }),
      saved: checkpoint(),
    }),
  );
  service.on("POST /studios/st-1/stop", studio());
  const { user } = visit("studios/st-1");
  expect(await screen.findByText("Saving has failed 2 times so far.")).toBeVisible();
  expect(screen.getByText("11 min 40 s")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Force stop" }));
  const dialog = screen.getByRole("dialog", { name: "Force “Atlas” to stop?" });
  expect(dialog).toHaveTextContent("What was done after the last save, 3 min ago, will be lost.");
  expect(service.find("POST", "/studios/st-1/stop")).toBeUndefined();
  await user.click(within(dialog).getByRole("button", { name: "Stop without saving" }));
  await waitFor(() => expect(service.find("POST", "/studios/st-1/stop")?.body).toEqual({ force: true }));
  expect(await screen.findByRole("button", { name: "Start and open" })).toBeVisible();
});

test("a running studio whose machine is taken back says so", async () => {
  const message = "AWS takes this machine back at 12:00:00 UTC. Saved at 11:58:30";
  new Service().show({ ...running(), message });
  visit("studios/st-1");
  expect(await screen.findByText(/AWS takes this machine back at 12:00:00 UTC/)).toBeVisible();
});

test("“Save now” asks for a name, and keeps it when the save is refused", async () => {
  const service = new Service();
  service.show(running());
  service.on(
    "POST /studios/st-1/checkpoints",
    new Refusal({ status: 502, title: "The bucket does not answer", action: "Try again" }),
  );
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Save now" }));
  const dialog = screen.getByRole("dialog", { name: "Save now" });
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(within(dialog).getByRole("textbox")).toBeInvalid();
  await user.type(within(dialog).getByRole("textbox", { name: "Name of the checkpoint" }), "before");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByText("The bucket does not answer.")).toBeVisible();
  expect(within(dialog).getByRole("textbox")).toHaveValue("before");
  service.on("POST /studios/st-1/checkpoints", checkpoint({ name: "before" }));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(service.find("POST", "/studios/st-1/checkpoints")?.body).toEqual({ name: "before" });
  expect(screen.getByRole("button", { name: "Save now" })).toHaveFocus();
});

test("deleting names the studio and leads back to the list", async () => {
  const service = new Service()
    .on("DELETE /studios/st-1", null)
    .on("GET /studios", { items: [], next: null });
  service.show(studio());
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  await user.click(screen.getByRole("button", { name: "Delete “Atlas”" }));
  await waitFor(() => expect(location.pathname).toBe(BASE));
  expect(service.find("DELETE", "/studios/st-1")).toBeDefined();
});

test("a deleted studio is told as such, with a way back", async () => {
  new Service().on(
    "GET /studios/st-1/progress",
    new Refusal({ status: 404, title: "There is no such studio", detail: "it was deleted, or is not yours" }),
  );
  visit("studios/st-1");
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no such studio.");
  expect(screen.getByRole("link", { name: "All studios" })).toHaveAttribute("href", BASE);
});

test("somebody it is shared with may open it and sees nothing to change", async () => {
  new Service().show(studio({ owner: "beta", state: "running", may: ["open"], session: session() }));
  visit("studios/st-1");
  expect(await screen.findByRole("link", { name: "Open" })).toBeVisible();
  expect(screen.getByText(/is shared with you/)).toBeVisible();
  expect(screen.queryByRole("tab")).toBeNull();
});

test("settings: only what changed is sent, and resources rest while it runs", async () => {
  const service = new Service();
  service.show(running());
  service.on("PATCH /studios/st-1", { ...running(), name: "Atlas 2" });
  const { user } = visit("studios/st-1?tab=settings");
  const name = await screen.findByRole("textbox", { name: "Name" });
  expect(screen.getByRole("spinbutton", { name: "CPUs" })).toBeDisabled();
  expect(screen.getByText("The whole filesystem.")).toBeVisible();
  await user.type(name, " 2");
  await user.click(screen.getByRole("button", { name: "Save settings" }));
  expect(await screen.findByRole("heading", { name: "Atlas 2" })).toBeVisible();
  expect(service.find("PATCH", "/studios/st-1")?.body).toEqual({ name: "Atlas 2" });
  expect(screen.getByRole("button", { name: "Save settings" })).toBeDisabled();
});

test("a studio that keeps only its home folder says so and why", async () => {
  new Service().show(studio({ root_mode: "home" }));
  visit("studios/st-1?tab=settings");
  expect(await screen.findByText("Only the home folder.")).toBeVisible();
  expect(await screen.findByText(/what lies outside of the home folder is not saved/)).toBeVisible();
});

test("tabs move by arrow keys", async () => {
  new Service().show(studio());
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("tab", { name: "Checkpoints" }));
  await user.keyboard("{ArrowRight}");
  expect(screen.getByRole("tab", { name: "Sessions" })).toHaveFocus();
  expect(await screen.findByText("It has not run yet")).toBeVisible();
  expect(location.search).toBe("?tab=sessions");
  await user.keyboard("{End}");
  expect(screen.getByRole("tab", { name: "Settings" })).toHaveAttribute("aria-selected", "true");
});

test("the studio's page has no accessibility faults that can be found by machine", async () => {
  new Service().show(running(), { checkpoints: [checkpoint()] });
  const { container } = visit("studios/st-1");
  await screen.findByRole("heading", { name: "2026-11-22 21:30" });
  // Colours and layout need a real browser.
  const found = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(found.violations.map((v) => `${v.id}: ${v.nodes[0]?.html}`)).toEqual([]);
});
