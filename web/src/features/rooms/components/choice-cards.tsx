import type { LucideIcon } from "lucide-react";
import { useId } from "react";
import { cn } from "@/lib/cn";

export interface Choice<Value extends string> {
  value: Value;
  label: string;
  hint: string;
  icon: LucideIcon;
}

export interface ChoiceCardsProps<Value extends string> {
  legend: string;
  value: Value;
  choices: readonly Choice<Value>[];
  onChange: (value: Value) => void;
  disabled?: boolean;
}

/** One of a few, each with a line about what it means: radio buttons. */
export function ChoiceCards<Value extends string>(props: ChoiceCardsProps<Value>) {
  const { legend, value, choices, onChange, disabled = false } = props;
  const name = useId();
  return (
    <fieldset disabled={disabled} className="flex flex-col">
      <legend className="mb-1.5 text-sm font-medium">{legend}</legend>
      <div className="flex flex-col overflow-hidden rounded-sm border border-input">
        {choices.map(({ value: one, label, hint, icon: Icon }) => (
          <label
            key={one}
            className={cn(
              "relative flex cursor-pointer items-center gap-3 border-border px-3 py-2 not-first:border-t has-[:focus-visible]:outline-2 has-[:focus-visible]:-outline-offset-2 has-[:focus-visible]:outline-ring",
              one === value ? "bg-selected text-selected-foreground" : "hover:bg-accent",
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
            <Icon aria-hidden className="size-4 shrink-0" />
            <span className="min-w-0">
              <span className="block font-medium">{label}</span>
              <span className={cn("block text-xs", one !== value && "text-muted-foreground")}>{hint}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
