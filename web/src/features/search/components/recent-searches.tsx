import { History, Search } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { forgetSearches, recentSearches } from "../model/recent-searches";

export interface RecentSearchesProps {
  userId: string;
  onChoose: (q: string) => void;
}

/** Before one has typed: what one searched for lately, or how to search. */
export function RecentSearches({ userId, onChoose }: RecentSearchesProps) {
  const { t } = useTranslation("search");
  const [recent, setRecent] = useState(() => recentSearches(userId));
  if (recent.length === 0) {
    return (
      <EmptyState icon={Search} title={t("start")}>
        {t("startText")}
      </EmptyState>
    );
  }
  return (
    <section className="mx-auto w-full max-w-3xl px-2 pt-4">
      <div className="flex items-center justify-between px-2 pb-1">
        <h2 className="text-sm font-medium text-muted-foreground">{t("recent")}</h2>
        <Button
          variant="ghost"
          size="sm"
          onClick={() => {
            forgetSearches(userId);
            setRecent([]);
          }}
        >
          {t("forget")}
        </Button>
      </div>
      <ul>
        {recent.map((q) => (
          <li key={q}>
            <button
              type="button"
              className="flex h-9 w-full items-center gap-2.5 rounded-sm px-2 text-start hover:bg-accent touch:h-11"
              onClick={() => onChoose(q)}
            >
              <History aria-hidden className="size-4 shrink-0 text-muted-foreground" />
              <bdi className="truncate">{q}</bdi>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
