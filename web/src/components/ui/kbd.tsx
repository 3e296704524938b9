import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { keyCaps } from "@/lib/shortcuts";

export function Kbd({ className, ...props }: ComponentProps<"kbd">) {
  return (
    <kbd
      className={cn(
        "inline-flex h-4.5 min-w-4.5 items-center justify-center rounded-[4px] border border-border px-1 font-sans text-xs leading-none text-muted-foreground",
        className,
      )}
      {...props}
    />
  );
}

/** The keys of a shortcut such as `mod+k`, a cap each. */
export function Keys({ keys, className }: { keys: string; className?: string }) {
  return (
    <span className="inline-flex items-center gap-0.5" dir="ltr">
      {keyCaps(keys).map((cap) => (
        <Kbd key={cap} className={className}>
          {cap}
        </Kbd>
      ))}
    </span>
  );
}
