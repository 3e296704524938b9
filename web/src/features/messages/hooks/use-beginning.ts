import { type Virtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useState } from "react";

/** A row is measured at the end of the frame that first shows it, which the frame after next can tell. */
const SETTLED_FRAMES = 2;

/**
 * Stands a timeline where one begins to read, once: at the row of `index`, at the end for -1, not yet for undefined. Rows are drawn
 * and measured over several frames, and each of them moves the place; `key` is the row's to be waited for. Whether it stands there.
 */
export function useBeginning(
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  index: number | undefined,
  key: string | undefined,
  onBegun: () => void,
): boolean {
  const [begun, setBegun] = useState(false);
  useLayoutEffect(() => {
    if (begun || index === undefined || key === undefined) return;
    let frame = 0;
    let size = -1;
    let stable = 0;
    const settle = () => {
      if (index >= 0) virtualizer.scrollToIndex(index, { align: "start" });
      else virtualizer.scrollToEnd();
      const same = virtualizer.getTotalSize() === size && virtualizer.elementsCache.has(key);
      stable = same ? stable + 1 : 0;
      size = virtualizer.getTotalSize();
      if (stable < SETTLED_FRAMES) {
        frame = requestAnimationFrame(settle);
        return;
      }
      onBegun();
      setBegun(true);
    };
    settle();
    return () => cancelAnimationFrame(frame);
  }, [begun, index, key, onBegun, virtualizer]);
  return begun;
}
