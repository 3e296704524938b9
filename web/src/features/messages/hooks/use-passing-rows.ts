import { useEffect, type RefObject } from "react";

const STILL_MS = 150;

/**
 * While the wheel turns, rows pass under a pointer that means none of them: each would be told of it, drawn as pointed at, and given a
 * toolbar. `data-wheeling` is on the scroller meanwhile.
 */
export function usePassingRows(scroller: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const still = () => element.removeAttribute("data-wheeling");
    const turned = ({ deltaX, deltaY }: WheelEvent) => {
      if (Math.abs(deltaX) > Math.abs(deltaY)) return; // along a line of code
      clearTimeout(timer);
      timer = setTimeout(still, STILL_MS);
      element.setAttribute("data-wheeling", "");
    };
    element.addEventListener("wheel", turned, { passive: true });
    return () => {
      clearTimeout(timer);
      still();
      element.removeEventListener("wheel", turned);
    };
  }, [scroller]);
}
