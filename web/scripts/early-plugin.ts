/** Puts into index.html what it shows before the application has started: src/early, drawn and bundled when the client is built. */

import { fileURLToPath } from "node:url";
import { build, runnerImport, type Plugin, type Rolldown } from "vite";
import type { Pages } from "../src/early/render";

const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));
const resolve = { alias: { "@": source(".") } };

/** A script of its own, without imports, as it stands in the page. */
async function bundled(path: string, define: Record<string, string> = {}): Promise<string> {
  const [result] = (await build({
    configFile: false,
    logLevel: "warn",
    resolve,
    define,
    publicDir: false,
    build: {
      write: false,
      target: "es2022",
      lib: { entry: source(path), formats: ["iife"], name: "early" },
    },
  })) as Rolldown.RolldownOutput[];
  const code = result?.output[0].code ?? "";
  if (code === "" || code.includes("</script")) throw new Error(`${path} cannot stand in index.html`);
  return code.trim();
}

async function drawn(): Promise<Pages> {
  // Node 20 has none, and the components ask it for the platform and its languages.
  if (!("navigator" in globalThis)) Object.assign(globalThis, { navigator: { userAgent: "", languages: [] } });
  const { module } = await runnerImport<{ render: () => Promise<Pages> }>(source("early/render.tsx"), {
    configFile: false,
    logLevel: "error",
    resolve,
  });
  return module.render();
}

/**
 * The application's script is fetched and compiled at once, but started by src/early/early.ts after the first paint. While Vite serves
 * the client, which makes the styles by script, there is the theme alone.
 */
export function early(): Plugin {
  let building = false;
  return {
    name: "parlour-early",
    configResolved: ({ command }) => {
      building = command === "build";
    },
    transformIndexHtml: {
      order: "post",
      handler: async (html) => {
        const theme = `<script>${await bundled("early/theme.ts")}</script>`;
        const themed = html.replace("<!-- theme -->", () => theme);
        if (!building) return themed;
        const { pages, texts } = await drawn();
        const script = await bundled("early/early.ts", { PAGES: JSON.stringify(pages), TEXTS: JSON.stringify(texts) });
        const entry = /<script type="module" crossorigin src="([^"]+)"><\/script>/;
        if (!entry.test(themed) || !themed.includes("<!-- early -->")) throw new Error("index.html is not as expected");
        return themed
          .replace(entry, '<link rel="modulepreload" crossorigin href="$1" data-entry />')
          .replace("<!-- early -->", () => `<script>${script}</script>`);
      },
    },
  };
}
