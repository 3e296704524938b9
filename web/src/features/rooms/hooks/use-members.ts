import { useInfiniteQuery } from "@tanstack/react-query";
import { listMembers } from "../api/list-members";

export const membersKey = (roomId: string) => ["room", roomId, "members"] as const;

/** The members of a room, a page at a time. */
export function useMembers(roomId: string) {
  return useInfiniteQuery({
    queryKey: membersKey(roomId),
    queryFn: ({ pageParam, signal }) => listMembers(roomId, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
}
