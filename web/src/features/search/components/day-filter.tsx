import { cn } from "@/lib/cn";
import { chipClasses } from "./chip-classes";

export interface DayFilterProps {
  label: string;
  /** `2026-03-31`, or empty. */
  value: string;
  onChange: (day: string) => void;
}

/** A filter by a day, with the browser's own calendar. */
export function DayFilter({ label, value, onChange }: DayFilterProps) {
  return (
    <label className={cn(chipClasses(value !== ""), "cursor-pointer")}>
      {label}
      <input
        type="date"
        className={cn("w-28 cursor-pointer bg-transparent outline-none", value === "" && "opacity-80")}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}
