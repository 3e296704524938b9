import { useEffect, useState } from "react";

/** `on`, but true only after it has been so for a while: a skeleton that flashes up is worse than none. */
export function useDelayed(on: boolean, milliseconds = 150): boolean {
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    if (!on) return;
    const timer = setTimeout(() => setPassed(true), milliseconds);
    return () => {
      clearTimeout(timer);
      setPassed(false);
    };
  }, [on, milliseconds]);
  return on && passed;
}
