import { CircleAlert } from "lucide-react";
import { useId, type ReactNode } from "react";
import { cn } from "@/lib/cn";
import { Label } from "./label";

/** What a field's control needs for its label, hint and error to be its own. */
export interface ControlProps {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

export interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  className?: string;
  /** At the end of the label's line, such as a link. */
  aside?: ReactNode;
  children: (control: ControlProps) => ReactNode;
}

/** A control with its label above and its hint, or what is wrong with it, below. */
export function Field({ label, hint, error, className, aside, children }: FieldProps) {
  const id = useId();
  const wrong = error !== undefined;
  const described = [wrong && `${id}-error`, hint !== undefined && !wrong && `${id}-hint`].filter(Boolean).join(" ");
  return (
    <div className={cn("flex flex-col gap-1.5", className)}>
      <div className="flex items-baseline justify-between gap-2">
        <Label htmlFor={id}>{label}</Label>
        {aside}
      </div>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": wrong || undefined })}
      {hint !== undefined && !wrong && (
        <p id={`${id}-hint`} className="text-xs text-muted-foreground">
          {hint}
        </p>
      )}
      <p
        id={`${id}-error`}
        aria-live="polite"
        className="flex items-start gap-1 text-xs text-destructive-text empty:hidden"
      >
        {wrong && (
          <>
            <CircleAlert aria-hidden className="mt-0.5 size-3 shrink-0" />
            {error}
          </>
        )}
      </p>
    </div>
  );
}
