import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";

/**
 * What scrolls by itself. The browser's own scrolling with thin bars (styles/globals.css): smoother than a drawn one, and without
 * the style element that Radix' one adds. Reachable by keyboard; name it with `aria-label` where nothing in it takes the focus.
 */
export function ScrollArea({ className, ...props }: ComponentProps<"div">) {
  return (
    <div className={cn("min-h-0 flex-1 overflow-x-hidden overflow-y-auto overscroll-contain", className)} {...props} />
  );
}
