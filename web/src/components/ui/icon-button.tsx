import { type VariantProps } from "class-variance-authority";
import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { iconButtonVariants } from "./button-variants";
import { tooltip, type TooltipOptions } from "./tooltip";

export interface IconButtonProps
  extends ComponentProps<"button">, Omit<VariantProps<typeof iconButtonVariants>, "active"> {
  /** What it does: its accessible name, and its tooltip. */
  label: string;
  /** Keys of its shortcut, shown in the tooltip. */
  shortcut?: string;
  /** A toggle that is on. Leave out where it is no toggle. */
  pressed?: boolean;
  tooltipSide?: TooltipOptions["side"];
}

export function IconButton({
  label,
  shortcut,
  pressed,
  tooltipSide,
  className,
  variant,
  size,
  ...props
}: IconButtonProps) {
  return (
    <button
      {...tooltip(label, { shortcut, side: tooltipSide })}
      type="button"
      aria-label={label}
      aria-pressed={pressed}
      className={cn(iconButtonVariants({ variant, size, active: pressed ?? false }), className)}
      {...props}
    />
  );
}
