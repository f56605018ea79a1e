import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"], restoreMocks: true },
});
