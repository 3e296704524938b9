import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Avatar } from "@/components/ui/avatar";
import { cn } from "@/lib/cn";
import type { Suggestion } from "../hooks/use-suggestions";

export interface SuggestionListProps {
  id: string;
  list: readonly Suggestion[];
  active: number;
  onChoose: (suggestion: Suggestion) => void;
}

/** What can be put in for the word that is being typed. The focus stays in the field, which names the active one. */
export function SuggestionList({ id, list, active, onChoose }: SuggestionListProps) {
  const { t } = useTranslation("messages");
  const chosen = useRef<HTMLDivElement>(null);
  useEffect(() => {
    chosen.current?.scrollIntoView({ block: "nearest" }); // new browsers return a promise, which is nothing for an effect
  }, [active]);
  return (
    <div
      id={id}
      role="listbox"
      aria-label={t("composer.suggestions")}
      className="absolute inset-x-0 bottom-full z-20 mb-1.5 max-h-72 max-w-md animate-fade-in overflow-y-auto rounded-md border bg-popover p-1 text-popover-foreground shadow-md"
    >
      {list.map((suggestion, index) => (
        <div
          key={suggestion.key}
          ref={index === active ? chosen : undefined}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          // The press must not take the focus from the field.
          onPointerDown={(event) => {
            event.preventDefault();
            onChoose(suggestion);
          }}
          className={cn(
            "flex h-8 cursor-default items-center gap-2 rounded-sm px-2 text-base touch:h-11",
            index === active ? "bg-accent text-accent-foreground" : "hover:bg-accent/60",
          )}
        >
          {suggestion.userId !== undefined && <Avatar id={suggestion.userId} name={suggestion.label} size="xs" />}
          <bdi className="min-w-0 truncate">{suggestion.label}</bdi>
          <bdi className="ms-auto min-w-0 shrink-[2] truncate ps-3 text-sm text-muted-foreground">
            {suggestion.detail}
          </bdi>
        </div>
      ))}
    </div>
  );
}
