import { useCallback, useEffect, useRef, useState } from "react";
import { keepDrafts, saveDraft, useRoomDraft } from "@/realtime";

const SAVE_AFTER_MS = 400;

/** What is typed in a room and not sent, kept on this and the user's other devices. */
export function useDraft(roomId: string): [text: string, setText: (text: string) => void] {
  const kept = useRoomDraft(roomId);
  const [text, setText] = useState(kept);
  const [seen, setSeen] = useState(kept);
  const unsaved = useRef<string>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  // Another device has changed it, and nobody has typed here since the last time that it was the same.
  if (kept !== seen) {
    setSeen(kept);
    if (text === seen) setText(kept);
  }

  const save = useCallback(() => {
    clearTimeout(timer.current);
    if (unsaved.current !== undefined) saveDraft(roomId, unsaved.current);
    unsaved.current = undefined;
  }, [roomId]);

  const change = useCallback(
    (next: string) => {
      setText(next);
      unsaved.current = next;
      clearTimeout(timer.current);
      if (next === "") save();
      else timer.current = setTimeout(save, SAVE_AFTER_MS);
    },
    [save],
  );

  useEffect(() => {
    const leave = () => {
      save();
      keepDrafts();
    };
    const hide = () => {
      if (document.hidden) leave();
    };
    // A page that is hidden or frozen may be ended without being told. Before the document's own, which write down what there is.
    const gone = new AbortController();
    const options = { signal: gone.signal, capture: true };
    window.addEventListener("pagehide", leave, options);
    window.addEventListener("freeze", leave, options);
    window.addEventListener("visibilitychange", hide, options);
    return () => {
      gone.abort();
      save();
    };
  }, [save]);
  return [text, change];
}
