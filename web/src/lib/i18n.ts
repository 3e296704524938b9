/** Languages: one chunk each, loaded before the first render; texts are keyed by feature namespace in src/locales. */

import i18next, { type FlatNamespace, type TFunction } from "i18next";
import { useSyncExternalStore } from "react";
import { initReactI18next } from "react-i18next";
import type { Translations } from "@/locales/types";
import { usePreferences } from "./preferences";

const LOADERS = {
  en: () => import("@/locales/en"),
  de: () => import("@/locales/de"),
};

export type LanguageCode = keyof typeof LOADERS;

export const LANGUAGES: Readonly<Record<LanguageCode, string>> = { en: "English", de: "Deutsch" };

function isLanguage(code: string): code is LanguageCode {
  return code in LOADERS;
}

/** The language that was chosen, or else the first of the browser's that there is. */
function wanted(): LanguageCode {
  const { language } = usePreferences.getState();
  if (language !== "system") return language;
  return navigator.languages.map((tag) => tag.split("-")[0] ?? "").find(isLanguage) ?? "en";
}

async function load(language: LanguageCode): Promise<Translations> {
  return (await LOADERS[language]()).default;
}

async function apply(): Promise<void> {
  const language = wanted();
  if (!i18next.hasResourceBundle(language, "common")) {
    for (const [namespace, texts] of Object.entries(await load(language))) {
      i18next.addResourceBundle(language, namespace, texts);
    }
  }
  if (language !== wanted()) return; // chosen anew while this one loaded
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  document.documentElement.dir = i18next.dir(language);
}

/** Load the language and follow what is chosen from then on. */
export async function startI18n(): Promise<void> {
  const language = wanted();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    defaultNS: "common",
    resources: { [language]: await load(language) },
    interpolation: { escapeValue: false }, // React escapes
    returnNull: false,
  });
  document.documentElement.lang = language;
  document.documentElement.dir = i18next.dir(language);
  window.addEventListener("languagechange", () => tags.clear());
  usePreferences.subscribe((now, before) => {
    if (now.language !== before.language) void apply();
  });
}

/**
 * The language tag for Intl: the browser's own regional one where it is of the same language (`en-GB`), so that dates look as
 * people there write them.
 */
export function localeTag(language: string): string {
  let tag = tags.get(language);
  if (tag === undefined) {
    tag = navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
    tags.set(language, tag);
  }
  return tag;
}

/** Browsers make the list of languages anew for whoever asks, and each message does. */
const tags = new Map<string, string>();

/** The language of now. `useTranslation` knows it too, but copies the whole of i18next for each component that asks. */
export function useLanguage(): string {
  return useSyncExternalStore(followLanguage, languageNow, languageNow);
}

/**
 * The texts of a namespace in the language of now, for what comes by the dozen a frame. `useTranslation` does the same, and makes a
 * copy of i18next for each component that asks.
 */
export function useTexts<N extends FlatNamespace>(namespace: N): TFunction<N> {
  const language = useLanguage();
  const key = `${language} ${namespace}`;
  const texts = fixed.get(key) ?? i18next.getFixedT(language, namespace);
  fixed.set(key, texts);
  return texts as TFunction<N>;
}

const fixed = new Map<string, unknown>();

const languageNow = () => i18next.language;

function followLanguage(changed: () => void): () => void {
  i18next.on("languageChanged", changed);
  return () => i18next.off("languageChanged", changed);
}
