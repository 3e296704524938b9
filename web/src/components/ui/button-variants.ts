import { cva } from "class-variance-authority";

/** The looks of a button, also for links and triggers that look like one. */
export const buttonVariants = cva(
  [
    // Its text breaks only where nothing else helps: where letters are large and the page is narrow.
    "inline-flex max-w-full shrink-0 items-center justify-center gap-2 rounded-sm py-1 text-center font-medium select-none",
    "transition-colors disabled:pointer-events-none disabled:opacity-50 aria-disabled:opacity-50",
    "[&_svg]:pointer-events-none [&_svg]:shrink-0 [&_svg:not([class*=size-])]:size-4",
  ],
  {
    variants: {
      variant: {
        primary: "bg-primary text-primary-foreground hover:bg-primary-hover",
        secondary: "border border-border bg-background text-foreground shadow-sm hover:bg-accent dark:bg-secondary",
        ghost: "text-muted-foreground hover:bg-accent hover:text-accent-foreground",
        destructive: "bg-destructive text-destructive-foreground hover:opacity-90",
        link: "min-h-0! p-0! text-start text-link underline-offset-4 hover:underline",
      },
      size: {
        sm: "min-h-7 px-2.5 text-sm touch:min-h-10 touch:px-3",
        md: "min-h-8 px-3 text-base touch:min-h-10",
        lg: "min-h-10 px-4 text-base",
      },
    },
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

/** A square one with nothing but an icon. */
export const iconButtonVariants = cva(
  [
    "inline-flex shrink-0 items-center justify-center rounded-sm transition-colors select-none",
    "disabled:pointer-events-none disabled:opacity-50 [&_svg]:pointer-events-none [&_svg:not([class*=size-])]:size-4.5",
  ],
  {
    variants: {
      variant: {
        ghost: "text-muted-foreground hover:bg-accent hover:text-accent-foreground data-[state=open]:bg-accent",
        solid: "bg-secondary text-secondary-foreground hover:bg-accent",
        primary: "bg-primary text-primary-foreground hover:bg-primary-hover",
        destructive: "bg-destructive text-destructive-foreground hover:opacity-90",
      },
      size: {
        sm: "size-7 touch:size-10",
        md: "size-8 touch:size-10",
        lg: "size-11",
      },
      active: { true: "bg-accent text-accent-foreground", false: "" },
    },
    defaultVariants: { variant: "ghost", size: "md", active: false },
  },
);
