import { useRef, type KeyboardEvent, type PointerEvent } from "react";
import { cn } from "@/lib/cn";

const STEP = 16;

export interface ResizeHandleProps {
  label: string;
  /** The width of what it resizes, in pixels. */
  value: number;
  min: number;
  max: number;
  /** Where what it resizes lies: `start` grows towards the end of the line. */
  side: "start" | "end";
  onChange: (value: number) => void;
  /** The width that a double click brings back. */
  initial: number;
  className?: string;
}

/** The edge between two columns: dragged, or moved with the arrow keys (ARIA: window splitter). */
export function ResizeHandle({ label, value, min, max, side, onChange, initial, className }: ResizeHandleProps) {
  const grabbed = useRef<{ x: number; value: number } | undefined>(undefined);

  const change = (wanted: number) => onChange(Math.round(Math.min(max, Math.max(min, wanted))));
  // Right is towards the end of the line in a left-to-right language.
  const sign = (element: Element) =>
    (getComputedStyle(element).direction === "rtl" ? -1 : 1) * (side === "start" ? 1 : -1);

  const move = (event: PointerEvent) => {
    if (grabbed.current === undefined) return;
    change(grabbed.current.value + (event.clientX - grabbed.current.x) * sign(event.currentTarget));
  };

  const press = (event: KeyboardEvent) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (steps !== undefined) change(value + steps * STEP * sign(event.currentTarget));
    else if (event.key === "Home") change(min);
    else if (event.key === "End") change(max);
    else return;
    event.preventDefault();
  };

  return (
    // A separator with a value is a control (ARIA window splitter), which the rule does not know.
    // eslint-disable-next-line jsx-a11y-x/no-noninteractive-element-interactions -- as said
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      // eslint-disable-next-line jsx-a11y-x/no-noninteractive-tabindex -- as above
      tabIndex={0}
      className={cn(
        "absolute inset-y-0 z-10 w-2 cursor-col-resize touch-none outline-none",
        side === "start" ? "-end-1" : "-start-1",
        "after:absolute after:inset-y-0 after:start-1/2 after:w-0.5 after:-translate-x-1/2 after:bg-transparent after:transition-colors",
        "hover:after:bg-ring/50 focus-visible:after:bg-ring active:after:bg-ring",
        className,
      )}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        grabbed.current = { x: event.clientX, value };
      }}
      onPointerMove={move}
      onPointerUp={() => {
        grabbed.current = undefined;
      }}
      onPointerCancel={() => {
        grabbed.current = undefined;
      }}
      onDoubleClick={() => change(initial)}
      onKeyDown={press}
    />
  );
}
