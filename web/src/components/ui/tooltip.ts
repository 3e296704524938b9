export interface TooltipOptions {
  shortcut?: string | undefined;
  side?: "top" | "bottom" | undefined;
}

interface TooltipAttributes {
  "data-tooltip": string;
  "data-tooltip-keys": string | undefined;
  "data-tooltip-side": string | undefined;
}

/**
 * The attributes of a hint for mouse and keyboard, on an element that has a name of its own. One layer for the whole app reads them
 * (tooltip-layer.tsx): a message has a dozen buttons, a room a thousand messages, and a component each would be felt.
 */
export function tooltip(label: string, { shortcut, side }: TooltipOptions = {}): TooltipAttributes {
  return { "data-tooltip": label, "data-tooltip-keys": shortcut, "data-tooltip-side": side };
}
