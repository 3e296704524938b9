import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useDebounced } from "@/lib/use-debounced";
import type { Profile } from "@/realtime";
import { findPeople } from "./find-people";

export interface People {
  people: readonly Profile[];
  /** Nothing to show yet. */
  loading: boolean;
  error: Error | null;
  retry: () => void;
  /** Ask for the next page; undefined where there is none. */
  more: (() => void) | undefined;
}

/** The directory, filtered as one types. */
export function usePeople(text: string, enabled = true): People {
  const q = useDebounced(text.trim().replace(/^@/, ""));
  const query = useInfiniteQuery({
    queryKey: ["people", q],
    queryFn: ({ pageParam, signal }) => findPeople(q, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
    placeholderData: keepPreviousData,
    enabled,
  });
  return {
    people: query.data?.pages.flatMap((page) => page.users) ?? [],
    loading: query.isPending && enabled,
    error: query.error,
    retry: () => void query.refetch(),
    more: query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : undefined,
  };
}
