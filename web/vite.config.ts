import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";
import { early } from "./scripts/early-plugin.ts";

/** Where `parlour serve` listens while Vite serves the client (`make dev`). */
const server = process.env.PARLOUR_SERVER ?? "http://localhost:8000";
const forwarded = { target: server, changeOrigin: false };

/**
 * What a page needs before it can be used. V8 compiles these files whole while they come in, beside the page's main thread, and not each
 * function when it is first called, on it: a fifth less of its time until a room can be written in.
 */
const CALLED_ON_LOAD = new Set(["base", "index", "sign-in", "signed-in", "shared", "room", "dexie", "en", "de"]);

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  plugins: [
    react(),
    tailwindcss(),
    early(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src/service-worker",
      filename: "service-worker.ts",
      injectRegister: false,
      manifestFilename: "manifest.webmanifest",
      manifest: {
        id: "/",
        name: "Parlour",
        short_name: "Parlour",
        description: "Talk to your team: rooms, messages and calls.",
        start_url: "/",
        display: "standalone",
        background_color: "#ffffff",
        theme_color: "#f5f6f8",
        categories: ["social", "productivity"],
        icons: [
          { src: "/icons/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "/icons/maskable-192.png", sizes: "192x192", type: "image/png", purpose: "maskable" },
          { src: "/icons/maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
      injectManifest: {
        globPatterns: ["index.html", "icon.svg", "assets/*.{js,css}", "assets/inter-latin*-wght-normal*.woff2"],
        // What few need is left out, fonts and assets/emoji: see the service worker.
        dontCacheBustURLsMatching: /^assets\//,
      },
    }),
  ],
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
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // data: URLs are not in the content security policy
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_000, // emoji in a language: data, fetched when the picker opens
    rolldownOptions: {
      output: {
        chunkFileNames: ({ moduleIds }) =>
          moduleIds.some((id) => id.includes("/emojibase-data/"))
            ? "assets/emoji/[name]-[hash].js"
            : "assets/[name]-[hash].js",
        postBanner: ({ name }) => (CALLED_ON_LOAD.has(name) ? "//# allFunctionsCalledOnLoad" : ""),
        codeSplitting: {
          groups: [
            // Few files instead of a hundred: each costs a request, and the page waits for the last one. What every page needs
            // before it draws: what releases seldom change, which stays cached, and the rest.
            {
              name: "base",
              test: /node_modules\/(?:react|react-dom|scheduler|react-router|i18next|react-i18next|zustand|tailwind-merge|clsx|use-sync-external-store|void-elements|html-parse-stringify|class-variance-authority|cookie|set-cookie-parser)\//,
              priority: 1,
            },
            { name: "first", tags: ["$initial"] },
            // Who signs in needs little of what the rest shares.
            { name: "sign-in", test: /src\/features\/auth\/components\/(?:login|register|signed-out)-page/ },
            // What several of the other pages share. Nearly all of it is in the room's, too.
            { name: "shared", minShareCount: 2 },
          ],
        },
      },
    },
  },
  test: {
    restoreMocks: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        test: {
          name: "node", // a page costs each file half a second: those that need one say so in their first line
          environment: "node",
          include: ["src/**/*.test.ts", "bench/**/*.test.ts", "*.test.ts"],
          setupFiles: ["fake-indexeddb/auto"],
        },
      },
      {
        extends: true,
        test: {
          name: "dom",
          environment: "happy-dom",
          include: ["src/**/*.test.tsx"],
          setupFiles: ["src/test-setup.ts"],
        },
      },
    ],
  },
});
