import { useRef, type PointerEvent } from "react";

const LONG_MS = 450;
const STILL_PX = 8;

export interface LongPress {
  onPointerDown: (event: PointerEvent) => void;
  onPointerMove: (event: PointerEvent) => void;
  onPointerUp: () => void;
  onPointerCancel: () => void;
}

/** Handlers that call `run` when a finger stays where it is for a while; scrolling and the mouse do nothing. */
export function useLongPress(run: () => void): LongPress {
  const press = useRef<{ x: number; y: number; timer: ReturnType<typeof setTimeout> }>(undefined);
  const end = () => {
    clearTimeout(press.current?.timer);
    press.current = undefined;
  };
  return {
    onPointerDown: ({ pointerType, isPrimary, clientX, clientY }) => {
      end();
      if (pointerType !== "touch" || !isPrimary) return;
      const timer = setTimeout(() => {
        end();
        run();
      }, LONG_MS);
      press.current = { x: clientX, y: clientY, timer };
    },
    onPointerMove: ({ clientX, clientY }) => {
      const start = press.current;
      if (start !== undefined && Math.hypot(clientX - start.x, clientY - start.y) > STILL_PX) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
}
