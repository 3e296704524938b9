import { useEffect } from "react";

let unsaved = 0;

/** Tell while a form holds what somebody typed and did not save: keys that lead elsewhere leave it alone. */
export function useUnsaved(holds: boolean): void {
  useEffect(() => {
    if (!holds) return;
    unsaved += 1;
    return () => {
      unsaved -= 1;
    };
  }, [holds]);
}

export function hasUnsaved(): boolean {
  return unsaved > 0;
}
