import { render, type RenderResult } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { App } from "../src/app";
import type { Config } from "../src/config";
import { BASE, CONFIG } from "./server";

/** The whole application at `path` below its base. */
export function visit(
  path: string,
  config: Config = CONFIG,
  state: unknown = null,
): RenderResult & { user: UserEvent } {
  history.replaceState(state, "", BASE + path);
  return { ...render(<App config={config} />), user: userEvent.setup() };
}
