import { type Virtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type RefObject } from "react";

/** Who reads at the end stays there while the room for it changes: the composer grows, a keyboard opens on a phone. */
export function useKeptEnd(
  virtualizer: Virtualizer<HTMLDivElement, Element>,
  scroller: RefObject<HTMLDivElement | null>,
  atEnd: boolean,
): void {
  const wasAtEnd = useRef(atEnd);
  useEffect(() => {
    wasAtEnd.current = atEnd;
  }, [atEnd]);
  useEffect(() => {
    if (scroller.current === null) return;
    let height = scroller.current.clientHeight;
    const observer = new ResizeObserver(([entry]) => {
      const { clientHeight } = entry?.target ?? { clientHeight: height };
      const grown = clientHeight - height;
      height = clientHeight;
      // What moved away from the end by no more than that was at it before.
      if (grown !== 0 && (wasAtEnd.current || virtualizer.getDistanceFromEnd() <= -grown + 1))
        virtualizer.scrollToEnd();
    });
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [virtualizer, scroller]);
}
