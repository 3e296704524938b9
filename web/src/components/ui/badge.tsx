import { cva, type VariantProps } from "class-variance-authority";
import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";

const badgeVariants = cva(
  "inline-flex shrink-0 items-center justify-center rounded-full text-xs font-medium whitespace-nowrap tabular-nums",
  {
    variants: {
      variant: {
        neutral: "h-5 bg-accent px-2 text-muted-foreground",
        count: "h-4.5 min-w-4.5 bg-sidebar-accent px-1.5 text-sidebar-foreground",
        mention: "h-4.5 min-w-4.5 bg-destructive px-1.5 text-destructive-foreground",
        primary: "h-5 bg-selected px-2 text-selected-foreground",
        warning: "h-5 bg-warning-ground px-2 text-warning-text",
      },
    },
    defaultVariants: { variant: "neutral" },
  },
);

export function Badge({ className, variant, ...props }: ComponentProps<"span"> & VariantProps<typeof badgeVariants>) {
  return <span className={cn(badgeVariants({ variant }), className)} {...props} />;
}
