import { Dialog as Primitive } from "radix-ui";
import { type ComponentProps, type ReactNode } from "react";
import { cn } from "@/lib/cn";
import { overlayClasses } from "./overlay-classes";

export const Sheet = Primitive.Root;

export interface SheetContentProps extends Omit<ComponentProps<typeof Primitive.Content>, "title"> {
  /** For screen readers; what shows is the children's. */
  title: ReactNode;
  /** `end` is beside the page, all of a phone's width; `bottom` is a phone's menu. */
  side?: "end" | "bottom";
}

export function SheetContent({ title, side = "end", className, children, ...props }: SheetContentProps) {
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlayClasses} />
      <Primitive.Content
        aria-describedby={undefined}
        className={cn(
          "fixed z-40 flex flex-col bg-background text-foreground shadow-lg outline-none",
          side === "end" &&
            "inset-y-0 end-0 w-full border-s data-[state=closed]:animate-end-out data-[state=open]:animate-end-in sm:max-w-sm",
          side === "bottom" &&
            "inset-x-0 bottom-0 max-h-[85dvh] rounded-t-lg border-t pb-[env(safe-area-inset-bottom)] data-[state=closed]:animate-bottom-out data-[state=open]:animate-bottom-in",
          className,
        )}
        {...props}
      >
        <Primitive.Title className="sr-only">{title}</Primitive.Title>
        {children}
      </Primitive.Content>
    </Primitive.Portal>
  );
}
