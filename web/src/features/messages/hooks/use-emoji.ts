import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/lib/http";
import type { EmojiIndex } from "../model/emoji";

const loaded = new Map<string, EmojiIndex>();
const loading = new Map<string, Promise<EmojiIndex>>();

function load(language: string): Promise<EmojiIndex> {
  let promise = loading.get(language);
  if (promise === undefined) {
    promise = import("../model/emoji-data")
      .then(({ loadEmoji }) => loadEmoji(language))
      .catch((error: unknown) => {
        loading.delete(language); // to be tried again by the next who asks
        // Browsers differ in what they say of a script that does not come; there is no other cause.
        throw new ApiError("network", error instanceof Error ? error.message : String(error));
      });
    promise.then(
      (index) => loaded.set(language, index),
      () => undefined,
    );
    loading.set(language, promise);
  }
  return promise;
}

export interface EmojiLoad {
  /** Undefined until they are there. */
  index: EmojiIndex | undefined;
  /** Why they are not. */
  error: unknown;
  retry: () => void;
}

/** All emoji, loaded when somebody first asks. Give `wanted: false` to wait with it. */
export function useEmojiLoad({ wanted = true } = {}): EmojiLoad {
  const { language } = useTranslation().i18n;
  const [, setArrived] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const [error, setError] = useState<unknown>();
  const index = loaded.get(language);
  useEffect(() => {
    if (!wanted || index !== undefined) return;
    let gone = false;
    load(language).then(
      () => {
        if (!gone) setArrived((count) => count + 1);
      },
      (reason: unknown) => {
        if (!gone) setError(reason);
      },
    );
    return () => {
      gone = true;
    };
  }, [wanted, language, index, attempt]);
  const retry = useCallback(() => {
    setError(undefined);
    setAttempt((count) => count + 1);
  }, []);
  return { index, error: index === undefined ? error : undefined, retry };
}

/** All emoji, or undefined where they are not there, for whatever can do without. */
export function useEmoji(options?: { wanted?: boolean }): EmojiIndex | undefined {
  return useEmojiLoad(options).index;
}
