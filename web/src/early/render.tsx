/** Runs when index.html is made: the pages that it shows by itself, drawn by the application's own components. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import i18next from "i18next";
import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { initReactI18next } from "react-i18next";
import { MemoryRouter } from "react-router";
import { LoginPage } from "@/features/auth/components/login-page";
import { RegisterPage } from "@/features/auth/components/register-page";
import type { Early } from "@/lib/early";
import de from "@/locales/de";
import en from "@/locales/en";
import { Failed } from "./failed";
import { Frame } from "./frame";

/** In place of what names the room, which is not known yet. */
const NAMELESS: Readonly<Record<string, string>> = {
  "messages:composer.label": "messages:composer.early",
  "messages:composer.placeholder": "messages:composer.early",
};
/** What the script alone shows. */
const LATER = ["auth:login.submitting", "auth:register.submitting"];

type Tree = string | { readonly [key: string]: Tree };

export interface Pages {
  /** HTML, in which texts are `⟦namespace:key⟧`. */
  pages: Record<Early["kind"], string>;
  /** That the application cannot be had. */
  failed: string;
  /** The texts that are in them, by language, as HTML. */
  texts: Record<string, Record<string, string>>;
}

export async function render(): Promise<Pages> {
  await i18next.use(initReactI18next).init({
    lng: "keys",
    fallbackLng: false,
    defaultNS: "common",
    resources: { keys: keysOf(en), en, de },
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  const queries = new QueryClient();
  const draw = (page: ReactNode) =>
    renderToStaticMarkup(
      <QueryClientProvider client={queries}>
        <MemoryRouter>{page}</MemoryRouter>
      </QueryClientProvider>,
    );
  const pages = { login: draw(<LoginPage />), register: draw(<RegisterPage />), frame: draw(<Frame />) };
  const failed = draw(<Failed />);
  const all = [...Object.values(pages), failed].join("");
  if (/\sstyle=/.test(all)) throw new Error("index.html: the content security policy refuses style attributes");
  const keys = new Set([...Array.from(all.matchAll(/⟦(.+?)⟧/g), ([, key = ""]) => key), ...LATER]);
  const textsIn = (language: string) => {
    const t = i18next.getFixedT(language);
    return Object.fromEntries([...keys].map((key) => [key, escaped((t as (key: string) => string)(key))]));
  };
  return { pages, failed, texts: { en: textsIn("en"), de: textsIn("de") } };
}

/** A namespace's texts, each of which is its own key. */
function keysOf(namespaces: Tree): Record<string, Record<string, string>> {
  if (typeof namespaces === "string") throw new Error("no namespaces");
  return Object.fromEntries(
    Object.entries(namespaces).map(([name, tree]) => [name, marked(tree, `${name}:`)]),
  ) as Record<string, Record<string, string>>;
}

function marked(tree: Tree, key: string): Tree {
  if (typeof tree === "string") return `⟦${NAMELESS[key] ?? key}⟧`;
  const separator = key.endsWith(":") ? "" : ".";
  return Object.fromEntries(Object.entries(tree).map(([name, under]) => [name, marked(under, key + separator + name)]));
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
