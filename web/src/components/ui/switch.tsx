import { Switch as Primitive } from "radix-ui";
import { type ComponentProps } from "react";
import { cn } from "@/lib/cn";

export function Switch({ className, ...props }: ComponentProps<typeof Primitive.Root>) {
  return (
    <Primitive.Root
      className={cn(
        "relative inline-flex h-5 w-8.5 shrink-0 items-center rounded-full bg-input transition-colors",
        "disabled:opacity-50 data-[state=checked]:bg-primary touch:after:absolute touch:after:-inset-2.5",
        className,
      )}
      {...props}
    >
      <Primitive.Thumb className="ms-0.5 block size-4 rounded-full bg-white shadow-sm transition-transform data-[state=checked]:translate-x-3.5 rtl:data-[state=checked]:-translate-x-3.5" />
    </Primitive.Root>
  );
}
