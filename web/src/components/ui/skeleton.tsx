import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** A place where something will be. Show it after 150 ms only (`useDelayed`), in a container with `aria-busy`. */
export function Skeleton({ className, ...props }: ComponentProps<"div">) {
  return <div aria-hidden className={cn("animate-skeleton rounded-sm bg-accent", className)} {...props} />;
}
