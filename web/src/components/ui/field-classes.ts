/** What all fields that one types in look like. */
export const fieldClasses = [
  "w-full min-w-0 rounded-sm border border-input bg-background px-3 text-base text-ellipsis text-foreground transition-colors",
  "focus-visible:border-ring focus-visible:outline-2 focus-visible:outline-offset-0 focus-visible:outline-ring/40",
  "disabled:opacity-50 aria-invalid:border-destructive aria-invalid:outline-destructive/40 dark:bg-card",
].join(" ");
