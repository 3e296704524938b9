import { type Virtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useState } from "react";

/** A row is measured at the end of the frame that first shows it, which the frame after next can tell. */
const SETTLED_FRAMES = 2;
/** By these somebody goes elsewhere, and nothing leads them back. */
const GOING = ["wheel", "pointerdown", "touchstart", "keydown"] as const;

export interface Beginning {
  /** The row at which one begins, -1 for the end, undefined while that is not known. */
  index: number | undefined;
  /** The key of the row that is to be drawn by then. */
  rowKey: string | undefined;
  /** Rows are on their way that will come above. */
  growing: boolean;
  onBegun: () => void;
}

/**
 * Stands a timeline where one begins to read, once, and tells whether it does. Rows are fetched, drawn and measured over several
 * frames, and each of them moves the place.
 */
export function useBeginning(
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  { index, rowKey, growing, onBegun }: Beginning,
): boolean {
  const [begun, setBegun] = useState(false);
  useLayoutEffect(() => {
    if (begun || index === undefined || rowKey === undefined) return;
    let frame = 0;
    let size = -1;
    let stable = 0;
    const begin = () => {
      onBegun();
      setBegun(true);
    };
    const settle = () => {
      if (index >= 0) virtualizer.scrollToIndex(index, { align: "start" });
      else virtualizer.scrollToEnd();
      const same = virtualizer.getTotalSize() === size && virtualizer.elementsCache.has(rowKey);
      stable = same ? stable + 1 : 0;
      size = virtualizer.getTotalSize();
      if (stable >= SETTLED_FRAMES && !growing) begin();
      else frame = requestAnimationFrame(settle);
    };
    settle();
    const element = virtualizer.scrollElement;
    for (const type of GOING) element?.addEventListener(type, begin, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      for (const type of GOING) element?.removeEventListener(type, begin);
    };
  }, [begun, index, rowKey, growing, onBegun, virtualizer]);
  return begun;
}
