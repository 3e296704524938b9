import { ChevronDown } from "lucide-react";
import { cn } from "@/lib/cn";
import { chipClasses } from "./chip-classes";

export interface SelectFilterProps {
  label: string;
  /** Empty where it narrows nothing. */
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}

/** A filter of a few choices: the browser's own select, as narrow as a chip. */
export function SelectFilter({ label, value, options, onChange }: SelectFilterProps) {
  return (
    <span className={cn(chipClasses(value !== ""), "relative max-w-48 pe-0")}>
      <select
        aria-label={label}
        className="field-sizing-content h-full w-full cursor-pointer appearance-none truncate bg-transparent pe-7 outline-none"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} className="bg-popover text-popover-foreground">
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute end-2 size-3.5" />
    </span>
  );
}
