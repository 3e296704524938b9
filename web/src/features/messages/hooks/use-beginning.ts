import { useLayoutEffect, type RefObject } from "react";
import type { RowList } from "./row-list";

/** By these somebody goes elsewhere, and nothing leads them back. */
const GOING = ["wheel", "pointerdown", "touchstart", "keydown"] as const;

export interface Beginning {
  /** It has been done, or somebody has gone elsewhere. */
  begun: boolean;
  /** The row at which one begins, -1 for the end, undefined while there is none. */
  index: number | undefined;
  /** That is where one begins; otherwise it is stood there until it is known. */
  known: boolean;
  /** The key of that row, or of the last one. */
  rowKey: string | undefined;
  /** Rows are on their way that will come above. */
  growing: boolean;
  onBegun: () => void;
}

/** Stands a timeline where one begins to read, once: again as often as rows come above until then. */
export function useBeginning(
  list: RowList,
  scroller: RefObject<HTMLElement | null>,
  { begun, index, known, rowKey, growing, onBegun }: Beginning,
): void {
  useLayoutEffect(() => {
    if (begun || index === undefined || rowKey === undefined) return;
    if (index >= 0) list.toRow(index, "start");
    else list.toEnd();
    // The row is drawn for it before then.
    const frame = known && !growing ? requestAnimationFrame(onBegun) : 0;
    const element = scroller.current;
    for (const type of GOING) element?.addEventListener(type, onBegun, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      for (const type of GOING) element?.removeEventListener(type, onBegun);
    };
  }, [begun, index, known, rowKey, growing, onBegun, list, scroller]);
}
