import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { fieldClasses } from "./field-classes";

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return <textarea className={cn(fieldClasses, "field-sizing-content min-h-18 py-2", className)} {...props} />;
}
