import { cn } from "@/lib/cn";

/** What a filter looks like, and one that narrows. */
export function chipClasses(active: boolean): string {
  return cn(
    "inline-flex h-7 items-center gap-1 rounded-full border px-3 text-sm transition-colors has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-offset-1 has-[:focus-visible]:outline-ring touch:h-10 touch:text-[1rem]",
    active
      ? "border-transparent bg-selected text-selected-foreground"
      : "border-border text-muted-foreground hover:bg-accent hover:text-accent-foreground",
  );
}
