import { Search } from "lucide-react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Input } from "@/components/ui/input";
import { cn } from "@/lib/cn";
import { useSession } from "@/realtime";
import { useTyped } from "../hooks/use-typed";
import { clean, MAX_QUERY, type Filters } from "../model/filters";
import { rememberSearch } from "../model/recent-searches";
import { FilterBar } from "./filter-bar";
import { RecentSearches } from "./recent-searches";
import { Results } from "./results";

export interface SearchViewProps {
  filters: Filters;
  onFilters: (filters: Filters) => void;
  /** The room that alone is searched, in its panel. */
  roomId?: string;
}

/** Searching: words, what narrows it, and what is found. Whoever holds it keeps the filters. */
export function SearchView({ filters, onFilters, roomId }: SearchViewProps) {
  const { t } = useTranslation("search");
  const userId = useSession()?.user.id ?? "";
  const field = useRef<HTMLInputElement>(null);
  const inRoom = roomId !== undefined;
  const { text, setText, tell } = useTyped(filters.q, (q) => onFilters({ ...filters, q }));
  useEffect(() => field.current?.focus(), []);
  const scoped = clean(inRoom ? { ...filters, room: roomId } : filters);
  const searching = filters.q.trim() !== "";
  return (
    <div role="search" className="flex min-h-0 flex-1 flex-col">
      <div className={cn("mx-auto flex w-full max-w-3xl flex-col gap-2 px-4 pt-3 pb-2", !searching && "pb-0")}>
        <form
          className="relative"
          onSubmit={(event) => {
            event.preventDefault();
            tell(text);
            rememberSearch(userId, text);
          }}
        >
          <Search
            aria-hidden
            className="pointer-events-none absolute start-3 top-1/2 size-4 -translate-y-1/2 text-muted-foreground"
          />
          <Input
            ref={field}
            type="search"
            enterKeyHint="search"
            aria-label={inRoom ? t("fieldRoom") : t("field")}
            placeholder={inRoom ? t("fieldRoom") : t("field")}
            maxLength={MAX_QUERY}
            autoComplete="off"
            className="ps-9"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </form>
        <FilterBar filters={filters} withRoom={!inRoom} onFilters={onFilters} />
      </div>
      {searching ? (
        <Results
          filters={scoped}
          inRoom={inRoom}
          onOpen={() => rememberSearch(userId, filters.q)}
          onWiden={() => onFilters({ q: filters.q })}
        />
      ) : (
        <RecentSearches userId={userId} onChoose={tell} />
      )}
    </div>
  );
}
