import { screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { expect, test } from "vitest";
import type { Lifetime, Studio } from "../src/api/types";
import { visit } from "./render";
import { CONFIG, ENVIRONMENT, Refusal, Service, ago, session, studio } from "./server";

const soon = (minutes: number): string => ago(-60 * minutes);

function lifetime(changes: Partial<Lifetime> = {}): Lifetime {
  return {
    verdict: "keep",
    reasons: ["A kernel is busy."],
    ends_at: soon(120),
    idle_ends_at: null,
    asked_at: null,
    answer_by: null,
    kept_until: null,
    kept_by: "",
    keep_minutes: 60,
    extend_hours: 112,
    ...changes,
  };
}

const running = (changes: Partial<Lifetime> = {}, rest: Partial<Studio> = {}): Studio =>
  studio({
    state: "running",
    may: ["open", "stop", "save", "edit"],
    session: session(),
    lifetime: lifetime(changes),
    ...rest,
  });

const ASKED: Partial<Lifetime> = {
  verdict: "prompt",
  reasons: ["Nobody was there and nothing computed for 1 h."],
  asked_at: ago(60),
  answer_by: soon(9),
};

test("the page says why a studio is kept and when it would end", async () => {
  new Service().show(running({ idle_ends_at: soon(70) }));
  const { container } = visit("studios/st-1");
  const panel = await screen.findByRole("region", { name: "How long it runs" });
  expect(panel).toHaveTextContent("A kernel is busy.");
  expect(panel).toHaveTextContent(/saved and stopped in 1 h (9|10) min/);
  expect(panel).toHaveTextContent(/lifespan ends in (1 h 59 min|2 h)/);
  expect((await axe.run(container, { rules: { "color-contrast": { enabled: false } } })).violations).toEqual(
    [],
  );
});

test("an extension is asked for, and a refusal says what is possible", async () => {
  const service = new Service();
  service.show(running({ extend_hours: 3 }));
  service.on("POST /studios/st-1/extend", running({ ends_at: soon(240), extend_hours: 1 }));
  const { user } = visit("studios/st-1");
  const hours = await screen.findByRole("combobox", { name: "Extend by" });
  expect(
    within(hours)
      .getAllByRole("option")
      .map((option) => option.textContent),
  ).toEqual(["1 h", "2 h"]);
  await user.selectOptions(hours, "2 h");
  await user.click(screen.getByRole("button", { name: "Extend" }));
  expect(service.find("POST", "/studios/st-1/extend")?.body).toEqual({ hours: 2 });
  expect(await screen.findByText(/lifespan ends in/)).toHaveTextContent(/(3 h 59 min|4 h)/);
  service.on(
    "POST /studios/st-1/extend",
    new Refusal({ title: "It cannot be extended", status: 409, detail: "48 h at most" }),
  );
  await user.click(screen.getByRole("button", { name: "Extend" }));
  expect(await screen.findByText(/48 h at most/)).toBeVisible();
});

test("“Still there?” is answered with keeping it", async () => {
  const service = new Service();
  service.show(running(ASKED));
  service.on(
    "POST /studios/st-1/keep",
    running({ kept_until: soon(60), reasons: ["alpha asked to keep it."] }),
  );
  const { user } = visit("studios/st-1");
  const question = await screen.findByRole("alert");
  expect(question).toHaveTextContent("Still there?");
  expect(question).toHaveTextContent(/nothing computed for 1 h/);
  expect(question).toHaveTextContent(/saved and stopped in (8 min 5\d s|9 min)/);
  await user.click(within(question).getByRole("button", { name: "Keep for an hour" }));
  expect(await screen.findByText(/alpha asked to keep it/)).toHaveTextContent(/another (59 min|1 h)/);
  expect(screen.queryByRole("alert")).toBeNull();
});

test("… or with its end; visitors are not asked for that", async () => {
  const service = new Service();
  const replace = service.show(running(ASKED));
  service.on(
    "POST /studios/st-1/stop",
    studio({ state: "stopping", session: session({ state: "stopping" }) }),
  );
  service.on("GET /sessions/se-1/events", { items: [], next: null });
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Save and stop now" }));
  expect(await screen.findByText("Saving and stopping…")).toBeVisible();
  replace(running(ASKED, { may: ["open"], owner: "beta" }));
  expect(await screen.findByRole("button", { name: "Keep for an hour" })).toBeVisible();
  expect(screen.queryByRole("button", { name: "Save and stop now" })).toBeNull();
});

test("whoever ends it gives the others in it notice", async () => {
  const service = new Service();
  const shared = running(ASKED, { session: session({ people: ["alpha", "beta"] }) });
  service.show(shared);
  service.on("POST /studios/st-1/stop", shared);
  const { user } = visit("studios/st-1");
  await user.click(await screen.findByRole("button", { name: "Save and stop now" }));
  await waitFor(() =>
    expect(service.find("POST", "/studios/st-1/stop")?.body).toEqual({ notice_seconds: 30 }),
  );
});

test("the list points at a question", async () => {
  new Service().on("GET /studios", { items: [running(ASKED)], next: null });
  visit("");
  expect(await screen.findByText(/Still there\?/)).toHaveTextContent(/saved and stopped in/);
});

test("a place's own lifespans are what the form offers", async () => {
  const offer = {
    lifespan_hours: 4,
    min_hours: 2,
    max_hours: 6,
    endless: false,
    locked: false,
    idle_minutes: 30,
  };
  const service = new Service();
  service.on("GET /studios", { items: [], next: null });
  service.on("GET /compute-environments", {
    items: [{ ...ENVIRONMENT, lifetime: { jupyter: offer } }],
    next: null,
  });
  const { user } = visit("new");
  const hours = await screen.findByLabelText("Lifespan (hours)");
  expect(hours).toHaveValue(4);
  await user.clear(hours);
  await user.type(hours, "7");
  await user.type(screen.getByLabelText("Name"), "Short");
  await user.click(screen.getByRole("button", { name: "Create and start" }));
  expect(await screen.findByText("Whole hours: 2 to 6.")).toBeVisible();
});

const ADMIN = { ...CONFIG, user: { name: "root", admin: true } };

test("an administrator sees everybody's studios and stops one safely", async () => {
  const service = new Service();
  service.on("GET /compute-environments", { items: [{ ...ENVIRONMENT, price_per_hour: 0.5 }], next: null });
  const idle = studio({ id: "st-2", name: "Rest", owner: "beta" });
  const stuck = studio({
    id: "st-3",
    name: "Stuck",
    owner: "gamma",
    state: "stopping",
    session: session({ state: "stopping" }),
    may: ["force"],
    cost: 2,
  });
  const busy = running({ extend_hours: 0 }, { cost: 1.234, session: session({ people: ["alpha"] }) });
  service.on("GET /studios", { items: [busy, idle, stuck], next: null });
  service.on("POST /studios/st-1/stop", busy);
  service.on("POST /studios/st-3/stop", stuck);
  const { user, container } = visit("admin", ADMIN);
  const row = (await screen.findByRole("link", { name: "Atlas" })).closest("tr");
  expect(service.find("GET", "/studios")?.query.get("owner")).toBe("*");
  expect(row).toHaveTextContent("A kernel is busy.");
  expect(row).toHaveTextContent(/1\.23\s*0\.50 per hour/);
  expect(screen.getByText("2 studios running, 1.00 per hour, 3.23 so far")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Stop Rest of beta" })).toBeNull();
  expect((await axe.run(container, { rules: { "color-contrast": { enabled: false } } })).violations).toEqual(
    [],
  );

  await user.click(screen.getByRole("button", { name: "Stop Atlas of alpha" }));
  expect(await screen.findByText("In it now: alpha.")).toBeVisible();
  expect(screen.getByText(/They are told, and it stops 30 seconds later/)).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Save and stop" }));
  await waitFor(() =>
    expect(service.find("POST", "/studios/st-1/stop")?.body).toEqual({ notice_seconds: 30 }),
  );

  await user.click(screen.getByRole("button", { name: "Force Stuck of gamma to stop" }));
  await user.click(await screen.findByRole("button", { name: "Stop without saving" }));
  await waitFor(() => expect(service.find("POST", "/studios/st-3/stop")?.body).toEqual({ force: true }));
});

test("others find no such page", async () => {
  new Service();
  visit("admin");
  expect(screen.queryByRole("heading", { name: "All studios" })).toBeNull();
  expect(await screen.findByRole("heading", { level: 1 })).toBeVisible();
});
