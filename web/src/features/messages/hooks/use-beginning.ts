import { type Virtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect } from "react";

/** A row is measured at the end of the frame that first shows it, which the frame after next can tell. */
const SETTLED_FRAMES = 2;
/** By these somebody goes elsewhere, and nothing leads them back. */
const GOING = ["wheel", "pointerdown", "touchstart", "keydown"] as const;

export interface Beginning {
  /** It has been done, or somebody has gone elsewhere. */
  begun: boolean;
  /** The row at which one begins, -1 for the end, undefined while there is none. */
  index: number | undefined;
  /** That is where one begins; otherwise it is stood there until it is known. */
  known: boolean;
  /** The key of the row that is to be drawn by then. */
  rowKey: string | undefined;
  /** Rows are on their way that will come above. */
  growing: boolean;
  onBegun: () => void;
}

/**
 * Stands a timeline where one begins to read, once. Rows are fetched, drawn and measured over several frames, and each of them
 * moves the place.
 */
export function useBeginning(
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  { begun, index, known, rowKey, growing, onBegun }: Beginning,
): void {
  useLayoutEffect(() => {
    if (begun || index === undefined || rowKey === undefined) return;
    let frame = 0;
    let size = -1;
    let stable = 0;
    const begin = () => {
      if (index >= 0) virtualizer.cancelScroll(); // the row's index is another's once older ones come
      onBegun();
    };
    const settle = () => {
      if (index >= 0) virtualizer.scrollToIndex(index, { align: "start" });
      else virtualizer.scrollToEnd();
      const same = virtualizer.getTotalSize() === size && virtualizer.elementsCache.has(rowKey);
      stable = same ? stable + 1 : 0;
      size = virtualizer.getTotalSize();
      if (stable >= SETTLED_FRAMES && known && !growing) begin();
      else frame = requestAnimationFrame(settle);
    };
    settle();
    const element = virtualizer.scrollElement;
    for (const type of GOING) element?.addEventListener(type, begin, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      for (const type of GOING) element?.removeEventListener(type, begin);
    };
  }, [begun, index, known, rowKey, growing, onBegun, virtualizer]);
}
