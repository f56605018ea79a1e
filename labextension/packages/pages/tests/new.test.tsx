import { screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { visit } from "./render";
import { BASE, ENVIRONMENT, Refusal, Service, checkpoint, studio } from "./server";

const none = { items: [], next: null };
const name = () => screen.findByRole("textbox", { name: "Name" });

test("what was typed is sent, and the studio's page follows", async () => {
  const service = new Service()
    .on("GET /studios", none)
    .on("POST /studios", studio({ state: "starting", may: [] }));
  service.show(studio({ state: "starting", may: [] }));
  const { user } = visit("new");
  await user.type(await name(), "  Atlas ");
  await user.clear(screen.getByRole("spinbutton", { name: "Memory (GiB)" }));
  await user.type(screen.getByRole("spinbutton", { name: "Memory (GiB)" }), "1.5");
  await user.click(screen.getByRole("button", { name: "Add variable" }));
  await user.type(screen.getByRole("textbox", { name: "Name of variable 1" }), "LEVEL");
  await user.type(screen.getByRole("textbox", { name: "Value of variable 1" }), "3");
  await user.click(screen.getByRole("button", { name: "Create and start" }));
  expect(await screen.findByRole("heading", { name: "Atlas" })).toBeVisible();

  const asked = service.find("POST", "/studios");
  expect(asked?.query.get("start")).toBe("true");
  expect(asked?.headers.get("X-XSRFToken")).toBe("2|token");
  expect(asked?.body).toEqual({
    name: "Atlas",
    description: "",
    template: "jupyter",
    compute_environment: "local",
    cpus: 2,
    memory_mib: 1536,
    lifespan_hours: 8,
    environment: { LEVEL: "3" },
    from_checkpoint: null,
    mounts: [],
  });
  expect(location.pathname).toBe(`${BASE}studios/st-1`);
  expect(screen.getByRole("switch", { name: "Open it when it is ready" })).toBeChecked();
});

test("without “Start now” it is only made", async () => {
  const service = new Service().on("GET /studios", none).on("POST /studios", studio());
  service.show(studio());
  const { user } = visit("new");
  await user.type(await name(), "Atlas");
  await user.click(screen.getByRole("checkbox", { name: "Start now" }));
  await user.click(screen.getByRole("button", { name: "Create" }));
  await screen.findByRole("heading", { name: "Atlas" });
  expect(service.find("POST", "/studios")?.query.get("start")).toBeNull();
  expect(history.state).toEqual({});
});

test("the service's problem is shown at its field, which gets the focus", async () => {
  new Service().on("GET /studios", none).on(
    "POST /studios",
    new Refusal({
      status: 409,
      title: "The name “Atlas” is taken",
      detail: "another studio has it",
      action: "Choose another name",
      field: "name",
    }),
  );
  const { user } = visit("new");
  await user.type(await name(), "Atlas");
  await user.click(screen.getByRole("button", { name: "Create and start" }));
  await waitFor(async () => expect(await name()).toHaveFocus());
  expect(await name()).toHaveAccessibleDescription(
    "The name “Atlas” is taken. Another studio has it. Choose another name.",
  );
  expect(await name()).toBeInvalid();
  await user.type(await name(), "2");
  expect(await name()).toBeValid();
});

test("a problem of no field is shown above the form, with what was typed kept", async () => {
  new Service()
    .on("GET /studios", none)
    .on("POST /studios", new Refusal({ status: 403, title: "Not allowed", field: "image" }));
  const { user } = visit("new");
  await user.type(await name(), "Atlas");
  await user.click(screen.getByRole("button", { name: "Create and start" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Not allowed.");
  expect(await name()).toHaveValue("Atlas");
});

test("a taken name is told while typing", async () => {
  new Service().on("GET /studios", { items: [studio({ name: "Atlas" })], next: null });
  const { user } = visit("new");
  await user.type(await name(), "Atlas");
  expect(await screen.findByText(/You have a studio of this name already/)).toBeVisible();
  await user.type(await name(), "2");
  await waitFor(() => expect(screen.queryByText(/of this name already/)).toBeNull());
});

test("a name that is too long is told while typing, counted as the service counts", async () => {
  new Service().on("GET /studios", none);
  const { user } = visit("new");
  await user.click(await name());
  await user.paste("🧬".repeat(80));
  expect(await name()).toBeValid();
  await user.paste("x");
  expect(await name()).toHaveAccessibleDescription(/has 81 characters; at most 80/);
});

test("what exceeds the compute environment is told before asking", async () => {
  const service = new Service().on("GET /studios", none);
  const { user } = visit("new");
  await user.type(await name(), "Atlas");
  await user.clear(screen.getByRole("spinbutton", { name: "CPUs" }));
  await user.type(screen.getByRole("spinbutton", { name: "CPUs" }), "5");
  await user.click(screen.getByRole("button", { name: "Create and start" }));
  await waitFor(() => expect(screen.getByRole("spinbutton", { name: "CPUs" })).toHaveFocus());
  expect(screen.getByRole("spinbutton", { name: "CPUs" })).toHaveAccessibleDescription(/at most 4/);
  expect(service.find("POST", "/studios")).toBeUndefined();
});

test("the local kind says that sessions see this machine's files; a fitting environment is chosen", async () => {
  const batch = { ...ENVIRONMENT, id: "batch", title: "Batch", kind: "aws-batch", templates: ["rstudio"] };
  new Service()
    .on("GET /studios", none)
    .on("GET /compute-environments", { items: [batch, ENVIRONMENT], next: null });
  visit("new");
  expect(await screen.findByText(/see its files, read-only/)).toBeVisible();
  expect(screen.getByRole("combobox", { name: "Compute environment" })).toHaveValue("local");
  expect(screen.getByRole("option", { name: /Batch/ })).toBeDisabled();
});

test("a fork shows what it is made from, and sends the checkpoint", async () => {
  const service = new Service()
    .on("GET /checkpoints/cp-1", checkpoint({ name: "clustered" }))
    .on("GET /studios", none)
    .on("POST /studios", studio({ id: "st-2" }));
  service.show(studio({ cpus: 3, environment: { A: "b" } }));
  service.show(studio({ id: "st-2" }));
  const { user } = visit("new?from_checkpoint=cp-1");
  expect(await screen.findByRole("heading", { name: "Fork a studio" })).toBeVisible();
  expect(await screen.findByRole("region", { name: "Made from" })).toHaveTextContent(
    /Made from checkpoint clustered of Atlas/,
  );
  expect(await name()).toHaveValue("Atlas fork");
  await user.click(screen.getByRole("button", { name: "Fork and start" }));
  await waitFor(() => expect(location.pathname).toBe(`${BASE}studios/st-2`));
  expect(service.find("POST", "/studios")?.body).toMatchObject({
    from_checkpoint: "cp-1",
    cpus: 3,
    environment: { A: "b" },
  });
});

test("an invalid checkpoint cannot be forked, and the reason is told", async () => {
  const service = new Service().on(
    "GET /checkpoints/cp-1",
    checkpoint({ status: "invalid", message: "layer abc is missing" }),
  );
  service.show(studio());
  visit("new?from_checkpoint=cp-1");
  expect(await screen.findByText(/layer abc is missing/)).toBeVisible();
  expect(screen.queryByRole("button", { name: /Fork/ })).toBeNull();
});
