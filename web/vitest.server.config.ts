import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The data layer in Node, and the built client in real browsers, against the real server (`npm run test:server`). */
export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  test: {
    environment: "node",
    fileParallelism: false,
    retry: process.env.CI === undefined ? 0 : 1,
    include: ["src/**/*.spec.ts"],
    setupFiles: ["fake-indexeddb/auto"],
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
