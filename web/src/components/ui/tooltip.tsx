import { Slot } from "radix-ui";
import { type ReactNode } from "react";

export interface TooltipProps {
  label: string;
  shortcut?: string | undefined;
  side?: "top" | "bottom" | undefined;
  children: ReactNode;
}

/**
 * A hint for mouse and keyboard; the only child must have a name of its own. It is but attributes that one layer for the whole app
 * reads (tooltip-layer.tsx): a message has a dozen buttons, a room a thousand messages, and a component each would be felt.
 */
export function Tooltip({ label, shortcut, side, children }: TooltipProps) {
  return (
    <Slot.Root data-tooltip={label} data-tooltip-keys={shortcut} data-tooltip-side={side}>
      {children}
    </Slot.Root>
  );
}
