import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Package, Phase } from "../src/api/types";
import { visit } from "./render";
import { ENVIRONMENT, Refusal, Service, ago, checkpoint, session, studio } from "./server";
import type { Asked } from "./server";

const OWNED = studio({ may: ["start", "edit", "delete", "fork"] });

test("checkpoints: name, status with why, age, size, layers, current mark", async () => {
  new Service().show(OWNED, {
    checkpoints: [
      checkpoint({ status: "interim" }),
      checkpoint({
        id: "cp-2",
        name: "broken",
        status: "invalid",
        message: "layer abc is missing",
        current: false,
      }),
    ],
  });
  visit("studios/st-1");
  const [first, second] = within(await screen.findByRole("list", { name: "Checkpoints" })).getAllByRole(
    "listitem",
  );
  expect(first).toHaveTextContent(/Interim.*Current.*Saved 3 min ago by alpha · 120 MB in 1 layer/);
  expect(within(first!).getByText("Interim")).toHaveAttribute(
    "title",
    expect.stringMatching(/while the session runs/),
  );
  expect(within(first!).queryByRole("button", { name: /Delete/ })).toBeNull();
  expect(within(first!).getByRole("link", { name: "Fork 2026-11-22 21:30" })).toBeVisible();
  expect(second).toHaveTextContent(/A layer is missing or damaged.*Layer abc is missing/);
  expect(within(second!).queryByRole("link", { name: /Fork/ })).toBeNull();
});

test("what was installed folds beyond ten", async () => {
  const installed = Array.from({ length: 12 }, (_, i): Package => ({
    manager: "pip",
    name: `package-${i}`,
    version: "1.0",
    change: "added",
  }));
  new Service().show(OWNED, { checkpoints: [checkpoint({ installed })] });
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByText(/12 packages changed/));
  expect(screen.getAllByText(/^package-/, { exact: false, selector: "li" })).toHaveLength(10);
  await user.click(screen.getByRole("button", { name: "Show all 12" }));
  expect(screen.getAllByText(/package-/, { selector: "li" })).toHaveLength(12);
});

test("renaming in place: Enter saves, Escape leaves it, a refusal is told", async () => {
  let name = "first";
  const service = new Service();
  service.show(OWNED);
  service.on("GET /studios/st-1/checkpoints", () => ({ items: [checkpoint({ name })], next: null }));
  service.on("PATCH /checkpoints/cp-1", new Refusal({ status: 502, title: "The bucket does not answer" }));
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Rename first" }));
  await user.keyboard("second{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("The bucket does not answer.");
  service.on("PATCH /checkpoints/cp-1", ({ body }: Asked) => {
    name = (body as { name: string }).name;
    return checkpoint({ name });
  });
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("heading", { name: "second" })).toBeVisible();
  expect(screen.getByRole("button", { name: "Rename second" })).toHaveFocus();
  await user.click(screen.getByRole("button", { name: "Rename second" }));
  await user.keyboard("third{Escape}");
  expect(await screen.findByRole("heading", { name: "second" })).toBeVisible();
});

test("a checkpoint is deleted after its name was confirmed", async () => {
  let items = [checkpoint(), checkpoint({ id: "cp-2", name: "old", current: false })];
  const service = new Service();
  service.show(OWNED);
  service.on("GET /studios/st-1/checkpoints", () => ({ items, next: null }));
  service.on("DELETE /checkpoints/cp-2", () => {
    items = items.slice(0, 1);
    return null;
  });
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Delete old" }));
  const dialog = screen.getByRole("dialog", { name: "Delete checkpoint “old”?" });
  await user.click(within(dialog).getByRole("button", { name: "Delete" }));
  await waitFor(() => expect(screen.queryByRole("heading", { name: "old" })).toBeNull());
});

test("a session opens to its events and its whole log, page by page, and the log is searched", async () => {
  const pages = ["one \u001b[32mgreen\u001b[0m\n", "10%\r50%\r100%\n", "error: bad\nlast ERROR\n", ""];
  const service = new Service();
  const ended = session({ state: "errored", ended_at: ago(60), message: "the job was killed" });
  service.show(OWNED, { sessions: [ended] });
  service.on("GET /sessions/se-1/events", {
    items: [{ at: ago(60), kind: "lost", message: "the job was killed", level: "error" }],
    next: null,
  });
  service.on("GET /sessions/se-1/logs", ({ query }: Asked) => {
    const offset = Number(query.get("offset"));
    const text = pages[offset] ?? "";
    return { text, offset, next_offset: offset + (text === "" ? 0 : 1), ended: true };
  });
  const { user } = visit("studios/st-1?tab=sessions");
  const head = await screen.findByRole("button", { name: /Errored/, expanded: false });
  expect(head).toHaveTextContent(/Errored.*9 min, ready after 10 s/);
  await user.click(head);
  const log = await screen.findByRole("region", { name: "Log text" });
  await waitFor(() => expect(log).toHaveTextContent("one green 100% error: bad last ERROR"));
  expect(await screen.findByText(/Error:/)).toBeInTheDocument();
  expect(screen.queryByRole("switch", { name: "Follow" })).toBeNull();

  await user.type(screen.getByRole("searchbox", { name: "Search in the log" }), "error");
  expect(await screen.findByText("1 of 2")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Next match" }));
  expect(await screen.findByText("2 of 2")).toBeVisible();
  expect(log.querySelector(".st-match-current")).toHaveTextContent("ERROR");
});

test("the log of a running session is followed", async () => {
  const service = new Service();
  const live = studio({ state: "running", may: ["open", "edit"], session: session() });
  let written = "first line\n";
  service.show(live, { sessions: [session()] });
  service.on("GET /sessions/se-1/events", { items: [], next: null });
  service.on("GET /sessions/se-1/logs", ({ query }: Asked) => {
    const offset = Number(query.get("offset"));
    return { text: written.slice(offset), offset, next_offset: written.length, ended: false };
  });
  visit("studios/st-1?tab=sessions&session=se-1");
  const log = await screen.findByRole("region", { name: "Log text" });
  await waitFor(() => expect(log).toHaveTextContent("first line"));
  expect(screen.getByRole("switch", { name: "Follow" })).toBeChecked();
  written += "second line\n";
  await waitFor(() => expect(log).toHaveTextContent("first line second line"), { timeout: 5000 });
});

test("a session of a compute environment with jobs has its job's own log beside the app's", async () => {
  const service = new Service();
  const phases: Phase[] = [
    { name: "host", status: "done", started_at: ago(9), ended_at: ago(8), message: "" },
  ];
  const live = studio({ state: "running", may: ["open", "edit"], session: session({ phases }) });
  service.show(live, { sessions: [session({ phases })] });
  service.on("GET /compute-environments", { items: [{ ...ENVIRONMENT, kind: "aws-batch" }], next: null });
  service.on("GET /sessions/se-1/events", { items: [], next: null });
  service.on("GET /sessions/se-1/logs", { text: "", offset: 0, next_offset: 0, ended: false });
  let printed = ["the agent is up\n"];
  service.on("GET /sessions/se-1/job-logs", ({ query }: Asked) => {
    const at = Number(query.get("after") ?? 0);
    return { text: printed.slice(at).join(""), next: String(printed.length) };
  });
  const { user } = visit("studios/st-1?tab=sessions&session=se-1");
  const choice = await screen.findByRole("group", { name: "Which log" });
  expect(within(choice).getByRole("button", { name: "App" })).toHaveAttribute("aria-pressed", "true");
  await user.click(within(choice).getByRole("button", { name: "Job" }));
  const log = await screen.findByRole("region", { name: "Log text" });
  await waitFor(() => expect(log).toHaveTextContent("the agent is up"));
  printed = [...printed, "the control channel is up\n"];
  await waitFor(() => expect(log).toHaveTextContent("the agent is up the control channel is up"), {
    timeout: 5000,
  });
});

test("what did not come up shows its job's log at once, and a place without jobs has none", async () => {
  const service = new Service();
  const failed = session({ state: "errored", ended_at: ago(60), phases: [], message: "pull denied" });
  service.show(OWNED, { sessions: [failed] });
  service.on("GET /compute-environments", { items: [{ ...ENVIRONMENT, kind: "docker" }], next: null });
  service.on("GET /sessions/se-1/events", { items: [], next: null });
  service.on("GET /sessions/se-1/job-logs", ({ query }: Asked) => ({
    text: query.get("after") === null ? "no such file: /.studio\n" : "",
    next: "1",
  }));
  visit("studios/st-1?tab=sessions&session=se-1");
  expect(await screen.findByRole("button", { name: "Job" })).toHaveAttribute("aria-pressed", "true");
  await waitFor(() =>
    expect(screen.getByRole("region", { name: "Log text" })).toHaveTextContent("no such file: /.studio"),
  );
});
