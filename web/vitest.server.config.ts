import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The data layer against the real server (`npm run test:server`), in Node. */
export default defineConfig({
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  test: {
    environment: "node",
    include: ["src/**/*.spec.ts"],
    setupFiles: ["fake-indexeddb/auto"],
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
