import { useCallback, useEffect, useRef } from "react";
import { setTyping } from "@/realtime";

/** The server forgets after 6 s who types. */
const REPEAT_MS = 3_000;
const IDLE_MS = 5_000;

/** Tells the others that one types; call it with each change of the text. */
export function useTypingNotices(roomId: string): (text: string) => void {
  const told = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const stop = useCallback(() => {
    clearTimeout(timer.current);
    if (told.current > 0) setTyping(roomId, false);
    told.current = 0;
  }, [roomId]);
  useEffect(() => stop, [stop]);
  return useCallback(
    (text) => {
      if (text.trim() === "") {
        stop();
        return;
      }
      const now = Date.now();
      if (now - told.current > REPEAT_MS) {
        setTyping(roomId, true);
        told.current = now;
      }
      clearTimeout(timer.current);
      timer.current = setTimeout(stop, IDLE_MS);
    },
    [roomId, stop],
  );
}
