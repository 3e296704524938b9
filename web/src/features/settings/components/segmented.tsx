import type { LucideIcon } from "lucide-react";
import { useId } from "react";
import { cn } from "@/lib/cn";

export interface SegmentedProps<Value extends string> {
  value: Value;
  choices: readonly { value: Value; label: string; icon?: LucideIcon }[];
  onChange: (value: Value) => void;
  "aria-labelledby": string;
  "aria-describedby": string | undefined;
}

/** One of two or three, side by side: radio buttons. */
export function Segmented<Value extends string>({ value, choices, onChange, ...ids }: SegmentedProps<Value>) {
  const name = useId();
  return (
    <div role="radiogroup" {...ids} className="inline-flex flex-wrap rounded-sm border border-input p-0.5">
      {choices.map(({ value: one, label, icon: Icon }) => (
        <label
          key={one}
          className={cn(
            "relative flex h-7 grow cursor-pointer items-center justify-center gap-1.5 rounded-[4px] px-3 text-sm transition-colors has-[:focus-visible]:outline-2 has-[:focus-visible]:outline-ring touch:h-10",
            one === value
              ? "bg-selected font-medium text-selected-foreground"
              : "text-muted-foreground hover:text-foreground",
          )}
        >
          <input
            type="radio"
            name={name}
            value={one}
            checked={one === value}
            className="sr-only"
            onChange={() => onChange(one)}
          />
          {Icon !== undefined && <Icon aria-hidden className="size-4" />}
          {label}
        </label>
      ))}
    </div>
  );
}
