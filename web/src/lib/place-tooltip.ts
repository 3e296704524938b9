const GAP = 6;
const MARGIN = 8;

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

interface Size {
  width: number;
  height: number;
}

/** Where a hint goes: centred above or below its target, on the other side where there is no room, and never off the screen. */
export function placeTooltip(
  target: Box,
  size: Size,
  screen: Size,
  side: "top" | "bottom",
): { left: number; top: number } {
  const above = target.top - GAP - size.height;
  const below = target.top + target.height + GAP;
  const fits = { top: above >= MARGIN, bottom: below + size.height <= screen.height - MARGIN };
  const top = (side === "top" && fits.top) || !fits.bottom ? above : below;
  const centred = target.left + (target.width - size.width) / 2;
  const left = Math.max(MARGIN, Math.min(centred, screen.width - MARGIN - size.width));
  return { left: Math.round(left), top: Math.round(Math.max(MARGIN, top)) };
}
