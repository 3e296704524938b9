import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `parlour serve` listens while Vite serves the client (`make dev`). */
const server = process.env.PARLOUR_SERVER ?? "http://localhost:8000";
const forwarded = { target: server, changeOrigin: false };

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: {
      "@": source("."),
      // The package adds <style> elements, which the content security policy refuses.
      "react-style-singleton": source("lib/style-singleton.ts"),
    },
  },
  server: {
    port: Number(process.env.PORT ?? 5173),
    strictPort: true,
    proxy: {
      "/api": forwarded,
      "/health": forwarded,
      "/.well-known": forwarded,
      "/socket.io": { ...forwarded, ws: true },
    },
  },
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0, reportCompressedSize: false },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
    restoreMocks: true,
    unstubGlobals: true,
  },
});
