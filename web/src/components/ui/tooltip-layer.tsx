import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { placeTooltip } from "@/lib/place-tooltip";
import { Keys } from "./kbd";

const SHOW_MS = 500;
/** From one hint to the next there is no wait for so long. */
const WARM_MS = 300;
/** Long enough to cross the gap to the hint itself, which may be read with the pointer on it (WCAG 1.4.13). */
const HIDE_MS = 80;

interface Shown {
  target: HTMLElement;
  label: string;
  keys: string | undefined;
  side: "top" | "bottom";
}

function hinted(target: EventTarget | null): Shown | undefined {
  const element = target instanceof Element ? target.closest<HTMLElement>("[data-tooltip]") : null;
  const label = element?.dataset.tooltip;
  if (!element || label === undefined || label === "") return undefined;
  const side = element.dataset.tooltipSide === "bottom" ? "bottom" : "top";
  return { target: element, label, keys: element.dataset.tooltipKeys, side };
}

/** Once in the app: shows the hints of all `Tooltip`s. */
export function TooltipLayer() {
  const [shown, setShown] = useState<Shown>();
  const bubble = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current: HTMLElement | undefined;
    let hiddenAt = 0;

    const show = (next: Shown, delay: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (!next.target.isConnected || next.target.dataset.state === "open") return;
        current = next.target;
        setShown(next);
      }, delay);
    };
    const hide = (delay = 0) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (current !== undefined) hiddenAt = performance.now();
        current = undefined;
        setShown(undefined);
      }, delay);
    };
    const over = (event: PointerEvent) => {
      if (event.pointerType !== "mouse") return;
      const inside = event.target instanceof Node && bubble.current?.contains(event.target);
      const next = hinted(event.target);
      if (inside === true || (next !== undefined && next.target === current)) clearTimeout(timer);
      else if (next !== undefined) show(next, performance.now() - hiddenAt < WARM_MS || current ? 0 : SHOW_MS);
      else hide(HIDE_MS);
    };
    const focus = (event: FocusEvent) => {
      const next = hinted(event.target);
      if (next?.target.matches(":focus-visible") === true) show(next, SHOW_MS);
    };
    const leave = () => hide();
    const press = (event: KeyboardEvent) => {
      if (event.key === "Escape" || event.key === "Enter" || event.key === " ") hide();
    };

    const gone = new AbortController();
    const options = { signal: gone.signal, passive: true };
    document.addEventListener("pointerover", over, options);
    document.addEventListener("pointerdown", leave, options);
    document.documentElement.addEventListener("pointerleave", leave, options);
    document.addEventListener("focusin", focus, options);
    document.addEventListener("focusout", leave, options);
    document.addEventListener("keydown", press, options);
    document.addEventListener("scroll", leave, { ...options, capture: true });
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, []);

  useLayoutEffect(() => {
    const element = bubble.current;
    if (shown === undefined || element === null) return;
    const { left, top } = placeTooltip(
      shown.target.getBoundingClientRect(),
      element.getBoundingClientRect(),
      { width: window.innerWidth, height: window.innerHeight },
      shown.side,
    );
    element.style.translate = `${left}px ${top}px`;
  }, [shown]);

  if (shown === undefined) return null;
  return (
    <div
      ref={bubble}
      role="tooltip"
      className="fixed top-0 left-0 z-60 flex max-w-72 animate-fade-in items-center gap-2 rounded-sm bg-foreground px-2 py-1 text-xs font-medium text-background shadow-md"
    >
      {shown.label}
      {shown.keys !== undefined && <Keys keys={shown.keys} className="border-background/30 text-background/80" />}
    </div>
  );
}
