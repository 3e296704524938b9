/** Who of a room is shown in its list of members, in which order. */

import type { ListedMember } from "@/realtime";
import { fold } from "./fuzzy";

const RANKS: Readonly<Record<string, number>> = { owner: 0, moderator: 1, member: 2, guest: 3 };

export function memberName(member: ListedMember): string {
  return member.user?.display_name ?? "";
}

/** Those whose name has the text in it; owners and moderators first, then by name. */
export function listedMembers(
  members: readonly ListedMember[],
  text: string,
  compare: (a: string, b: string) => number,
): ListedMember[] {
  const wanted = fold(text.trim().replace(/^@/, ""));
  return members
    .filter(
      (member) =>
        wanted === "" || fold(memberName(member)).includes(wanted) || (member.user?.username.includes(wanted) ?? false),
    )
    .sort(
      (a, b) =>
        (RANKS[a.role] ?? 4) - (RANKS[b.role] ?? 4) ||
        compare(memberName(a), memberName(b)) ||
        (a.user_id < b.user_id ? -1 : 1),
    );
}
