import type { ComputeEnvironment, Template } from "../api/types";
import { useApp } from "./app";
import { usePolled, type Polled } from "./polled";

/** What an administrator offers: loaded once by each page. */
export function useTemplates(): Polled<Template[]> {
  const { client } = useApp();
  return usePolled("templates", async () => (await client.templates()).items);
}

export function useComputeEnvironments(): Polled<ComputeEnvironment[]> {
  const { client } = useApp();
  return usePolled("compute-environments", async () => (await client.computeEnvironments()).items);
}
