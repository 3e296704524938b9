import { ChevronsUpDown } from "lucide-react";
import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { fieldClasses } from "./field-classes";

/**
 * The browser's own select in our clothes: it is the best one on phones, works with every assistive technology, and needs no
 * style element, which Radix' one adds and our content security policy refuses.
 */
export function Select({ className, children, ...props }: ComponentProps<"select">) {
  return (
    <span className={cn("relative inline-flex", className)}>
      <select className={cn(fieldClasses, "h-9 appearance-none pe-8 touch:h-11")} {...props}>
        {children}
      </select>
      <ChevronsUpDown
        aria-hidden
        className="pointer-events-none absolute end-2.5 top-1/2 size-3.5 -translate-y-1/2 text-muted-foreground"
      />
    </span>
  );
}
