import { useId, type ReactNode } from "react";
import { cn } from "@/lib/cn";

export interface SettingProps {
  label: ReactNode;
  hint?: ReactNode;
  /** The control, which is given the id of its label and of its hint. */
  children: (ids: { "aria-labelledby": string; "aria-describedby": string | undefined }) => ReactNode;
  className?: string;
}

/** A line of a page of settings: what it is at the start, the control at the end. */
export function Setting({ label, hint, children, className }: SettingProps) {
  const id = useId();
  return (
    <div
      className={cn(
        "flex flex-wrap items-center justify-between gap-x-6 gap-y-2 border-b py-3.5 first:pt-0 last:border-0",
        className,
      )}
    >
      <div className="min-w-[min(12rem,100%)] flex-1">
        <p id={`${id}-label`} className="font-medium">
          {label}
        </p>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="mt-0.5 text-sm text-muted-foreground">
            {hint}
          </p>
        )}
      </div>
      {children({
        "aria-labelledby": `${id}-label`,
        "aria-describedby": hint === undefined ? undefined : `${id}-hint`,
      })}
    </div>
  );
}
