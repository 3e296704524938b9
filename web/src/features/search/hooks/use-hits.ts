import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { SearchHit } from "@/realtime";
import { searchMessages } from "../api/search-messages";
import type { Filters } from "../model/filters";

export interface Found {
  hits: readonly SearchHit[];
  /** Nothing is known yet: neither hits nor that there are none. */
  loading: boolean;
  error: Error | null;
  retry: () => void;
  more: (() => void) | undefined;
  loadingMore: boolean;
}

/** The messages that match, best first, a page at a time. */
export function useHits(filters: Filters): Found {
  const query = useInfiniteQuery({
    queryKey: ["search", filters],
    queryFn: ({ pageParam, signal }) => searchMessages(filters, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
    enabled: filters.q.trim() !== "",
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, isFetchNextPageError } = query;
  const hits = data?.pages.flatMap((page) => page.hits) ?? [];
  // A page may be empty although there are others: the server has looked at as much as it would in one go.
  const goOn = hits.length === 0 && hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (goOn) void fetchNextPage();
  }, [goOn, fetchNextPage]);
  return {
    hits,
    loading: query.isLoading || (hits.length === 0 && hasNextPage && !isFetchNextPageError),
    error: hits.length === 0 ? query.error : null,
    retry: () => void query.refetch(),
    more: hasNextPage ? () => void fetchNextPage() : undefined,
    loadingMore: isFetchingNextPage,
  };
}
