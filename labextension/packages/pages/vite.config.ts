import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defaultClientConditions } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The service's HTML shell links app.js and app.css by these fixed names; "./" keeps every address inside
// them relative, because the service may live below any base URL.
export default defineConfig({
  plugins: [react()],
  // Other packages of this workspace are taken from their sources, as if they were here.
  resolve: { conditions: ["source", ...defaultClientConditions] },
  base: "./",
  build: {
    outDir: here("../../../src/jupyterhub_studios/service/static"),
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    rolldownOptions: {
      input: here("src/main.tsx"),
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "chunk-[hash].js",
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".css")) ? "app.css" : "asset-[hash][extname]",
      },
    },
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
  },
});
