import { Tooltip as Primitive } from "radix-ui";
import { type ComponentProps, type ReactNode } from "react";
import { Keys } from "./kbd";

export interface TooltipProps {
  label: ReactNode;
  shortcut?: string | undefined;
  side?: ComponentProps<typeof Primitive.Content>["side"] | undefined;
  children: ReactNode;
}

/** A hint for mouse and keyboard. It repeats or adds to the child's name, which must have one of its own. */
export function Tooltip({ label, shortcut, side, children }: TooltipProps) {
  return (
    <Primitive.Root>
      <Primitive.Trigger asChild>{children}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 flex max-w-72 animate-fade-in items-center gap-2 rounded-sm bg-foreground px-2 py-1 text-xs font-medium text-background shadow-md touch:hidden"
        >
          {label}
          {shortcut !== undefined && <Keys keys={shortcut} className="border-background/25 text-background/80" />}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

/** Once around the app: hints come after half a second, and at once where another one just showed. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return (
    <Primitive.Provider delayDuration={500} skipDelayDuration={250} disableHoverableContent>
      {children}
    </Primitive.Provider>
  );
}
