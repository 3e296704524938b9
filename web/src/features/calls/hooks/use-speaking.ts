import { useEffect, useState } from "react";
import { currentCall } from "../model/take-part";

const INTERVAL_MS = 200;
/** Between words it stays. */
const HOLD_MS = 600;

/** Whether the other one speaks. */
export function useSpeaking(): boolean {
  const [speaking, setSpeaking] = useState(false);
  useEffect(() => {
    let heardAt = 0;
    const timer = setInterval(() => {
      if (currentCall()?.speaking === true) heardAt = Date.now();
      setSpeaking(Date.now() - heardAt < HOLD_MS);
    }, INTERVAL_MS);
    return () => clearInterval(timer);
  }, []);
  return speaking;
}
