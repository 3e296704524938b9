import { useQuery } from "@tanstack/react-query";
import type { Profile } from "@/realtime";
import { listMembers } from "../api/list-members";

/** Members beyond this many are not offered; their names can still be typed. */
const MAX_PAGES = 10;

/** The members of a room whom one can mention, fetched when they are first wanted. */
export function useMentionable(roomId: string, wanted: boolean): readonly Profile[] {
  const { data } = useQuery({
    queryKey: ["room", roomId, "mentionable"],
    enabled: wanted,
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const people: Profile[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const answer = await listMembers(roomId, cursor, signal);
        for (const { user } of answer.members) if (user !== undefined && !user.disabled) people.push(user);
        if (answer.cursor === null) break;
        cursor = answer.cursor;
      }
      return people;
    },
  });
  return data ?? NOBODY;
}

const NOBODY: readonly Profile[] = [];
