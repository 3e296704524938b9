import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { EmojiIndex } from "../model/emoji";

const loaded = new Map<string, EmojiIndex>();
const loading = new Map<string, Promise<EmojiIndex>>();

function load(language: string): Promise<EmojiIndex> {
  let promise = loading.get(language);
  if (promise === undefined) {
    promise = import("../model/emoji-data").then(({ loadEmoji }) => loadEmoji(language));
    promise.then(
      (index) => loaded.set(language, index),
      () => loading.delete(language), // to be tried again by the next who asks
    );
    loading.set(language, promise);
  }
  return promise;
}

/** All emoji, loaded when somebody first asks and undefined until then. Give `wanted: false` to wait with it. */
export function useEmoji({ wanted = true } = {}): EmojiIndex | undefined {
  const { i18n } = useTranslation();
  const { language } = i18n;
  const [, setArrived] = useState(0);
  const index = loaded.get(language);
  useEffect(() => {
    if (!wanted || index !== undefined) return;
    let gone = false;
    load(language).then(
      () => {
        if (!gone) setArrived((count) => count + 1);
      },
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [wanted, language, index]);
  return index;
}
