import { useEffect, useState } from "react";

/** `on`, but true only after it has been so for a while: a skeleton that flashes up is worse than none. At once for 0 ms. */
export function useDelayed(on: boolean, milliseconds = 150): boolean {
  const [passed, setPassed] = useState(milliseconds === 0);
  useEffect(() => {
    if (!on || milliseconds === 0) return;
    const timer = setTimeout(() => setPassed(true), milliseconds);
    return () => {
      clearTimeout(timer);
      setPassed(false);
    };
  }, [on, milliseconds]);
  return on && passed;
}
