import { ChevronDown, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { PeoplePicker } from "@/components/people/people-picker";
import { cn } from "@/lib/cn";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { knowProfiles, useProfile } from "@/realtime";
import { chipClasses } from "./chip-classes";

export interface PersonFilterProps {
  /** A user's id, or empty. */
  value: string;
  onChange: (userId: string) => void;
}

/** A filter by who wrote it. */
export function PersonFilter({ value, onChange }: PersonFilterProps) {
  const { t } = useTranslation("search");
  const [open, setOpen] = useState(false);
  const person = useProfile(value);
  if (value !== "") {
    return (
      <span className={cn(chipClasses(true), "max-w-56")}>
        <span className="truncate">{t("filters.fromPerson", { name: person?.display_name ?? "…" })}</span>
        <button
          type="button"
          aria-label={t("filters.fromClear")}
          className="-me-2 inline-flex size-6 shrink-0 items-center justify-center rounded-full outline-none"
          onClick={() => onChange("")}
        >
          <X aria-hidden className="size-3.5" />
        </button>
      </span>
    );
  }
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger className={chipClasses(false)}>
        {t("filters.from")}
        <ChevronDown aria-hidden className="-me-1 size-3.5" />
      </PopoverTrigger>
      <PopoverContent align="start">
        <PeoplePicker
          label={t("filters.from")}
          onPick={(picked) => {
            knowProfiles([picked]);
            onChange(picked.id);
            setOpen(false);
          }}
        />
      </PopoverContent>
    </Popover>
  );
}
