import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { fieldClasses } from "./field-classes";

export function Input({ className, type = "text", ...props }: ComponentProps<"input">) {
  return <input type={type} className={cn(fieldClasses, "h-9 touch:h-11", className)} {...props} />;
}
