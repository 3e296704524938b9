/** Puts into index.html what it shows before the application has started: src/early, drawn and bundled when the client is built. */

import { fileURLToPath } from "node:url";
import { build, runnerImport, type Plugin, type Rolldown } from "vite";
import { criticalCss } from "../src/early/critical-css.ts";
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

/** What attributes name: classes among other words, which do no harm. */
function wordsOf(html: string): Set<string> {
  const decoded = (text: string) => text.replace(/&(amp|gt|lt|quot|#x27);/g, (_, name: string) => ENTITIES[name] ?? "");
  return new Set(Array.from(html.matchAll(/="([^"]*)"/g), ([, value = ""]) => decoded(value).split(/\s+/)).flat());
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", gt: ">", lt: "<", quot: '"', "#x27": "'" };

function replaced(html: string, what: RegExp | string, by: (whole: string, group: string) => string): string {
  if (html.search(what) < 0) throw new Error(`index.html is not as expected: ${String(what)}`);
  return html.replace(what, by);
}

/**
 * The application's script and styles are fetched and compiled at once, but started by src/early/early.ts after the first paint, for
 * which the page has the styles itself. While Vite serves the client, which makes the styles by script, there is the theme alone.
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
      handler: async (html, { bundle }) => {
        const theme = `<script>${await bundled("early/theme.ts")}</script>`;
        const themed = html.replace("<!-- theme -->", () => theme);
        if (!building) return themed;
        const { pages, failed, texts } = await drawn();
        const script = await bundled("early/early.ts", {
          PAGES: JSON.stringify(pages),
          FAILED: JSON.stringify(failed),
          TEXTS: JSON.stringify(texts),
        });
        const used = wordsOf([themed, ...Object.values(pages), failed].join(""));
        used.add("dark"); // by the theme's script
        const styles = (href: string) => {
          const file = bundle?.[href.slice(1)];
          if (file?.type !== "asset") throw new Error(`${href} was not built`);
          const css = criticalCss(String(file.source), used);
          if (css.includes("</style")) throw new Error(`${href} cannot stand in index.html`);
          return `<style>${css}</style>`;
        };
        let page = replaced(
          themed,
          /<script type="module" crossorigin src="([^"]+)"><\/script>/,
          (_, href) => `<link rel="modulepreload" crossorigin href="${href}" data-entry />`,
        );
        page = replaced(
          page,
          /<link rel="modulepreload" crossorigin href="([^"]+\/base-[^"]+)">/,
          (_, href) => `<link rel="modulepreload" crossorigin href="${href}" data-base />`,
        );
        page = replaced(
          page,
          /<link rel="stylesheet" crossorigin href="([^"]+)">/,
          (_, href) => `${styles(href)}<link rel="preload" as="style" crossorigin href="${href}" data-styles />`,
        );
        return replaced(page, "<!-- early -->", () => `<script>${script}</script>`);
      },
    },
  };
}
