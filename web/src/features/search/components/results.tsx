import { SearchX, WifiOff } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { ScrollArea } from "@/components/ui/scroll-area";
import { Skeleton } from "@/components/ui/skeleton";
import { announce } from "@/lib/announce";
import { useDelayed } from "@/lib/use-delayed";
import { useConnection } from "@/realtime";
import { useHits } from "../hooks/use-hits";
import { filterCount, type Filters } from "../model/filters";
import { HitRow } from "./hit-row";

export interface ResultsProps {
  filters: Filters;
  /** Where one room alone is searched. */
  inRoom: boolean;
  onOpen: () => void;
  onWiden: () => void;
}

/** What was found, or why nothing is. */
export function Results({ filters, inRoom, onOpen, onWiden }: ResultsProps) {
  const { t } = useTranslation("search");
  const { status } = useConnection();
  const { hits, loading, error, retry, more, loadingMore } = useHits(filters);
  const waiting = useDelayed(loading);
  const done = !loading && error === null;
  useEffect(() => {
    if (done) announce(t("found", { count: hits.length }));
  }, [done, hits.length, t]);

  if (error !== null && status === "offline") {
    return (
      <EmptyState icon={WifiOff} title={t("offline")} action={<Button onClick={retry}>{t("retry")}</Button>}>
        {t("offlineText")}
      </EmptyState>
    );
  }
  if (error !== null) return <ErrorState error={error} onRetry={retry} />;
  if (loading) {
    return (
      <div aria-busy="true" aria-label={t("searching")} className="flex flex-col gap-4 px-4 py-4">
        {waiting &&
          [0, 1, 2, 3].map((index) => (
            <div key={index} className="flex gap-3">
              <Skeleton className="size-8" />
              <div className="flex flex-1 flex-col gap-2">
                <Skeleton className="h-3.5 w-40" />
                <Skeleton className="h-3.5 w-full" />
              </div>
            </div>
          ))}
      </div>
    );
  }
  if (hits.length === 0) {
    const narrowed = filterCount(filters) > (inRoom ? 1 : 0);
    return (
      <EmptyState
        icon={SearchX}
        title={t("none", { text: filters.q.trim() })}
        action={narrowed && <Button onClick={onWiden}>{t("filters.clear")}</Button>}
      >
        {narrowed ? t("noneFiltered") : t("noneText")}
      </EmptyState>
    );
  }
  return (
    <ScrollArea>
      <ol className="mx-auto w-full max-w-3xl">
        {hits.map((hit) => (
          <HitRow key={hit.message.id} hit={hit} withRoom={!inRoom} onOpen={onOpen} />
        ))}
      </ol>
      {more !== undefined && (
        <Button className="mx-auto my-4 flex" busy={loadingMore} onClick={more}>
          {t("more")}
        </Button>
      )}
    </ScrollArea>
  );
}
