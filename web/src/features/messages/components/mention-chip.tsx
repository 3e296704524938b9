import { cn } from "@/lib/cn";
import { useProfiles, useSession } from "@/realtime";
import type { Mentioned } from "./markdown";

export interface MentionChipProps {
  /** As it was written. */
  text: string;
  /** Without the `@`, in lower case. */
  name: string;
  mentioned: Mentioned;
}

const EVERYBODY = ["room", "all"];
const NOBODY: readonly string[] = [];

/** A mention, where it is one: the server has the last word on who is a member. */
export function MentionChip({ text, name, mentioned: { userIds, everybody } }: MentionChipProps) {
  const me = useSession()?.user;
  const profiles = useProfiles(userIds ?? NOBODY);
  if (EVERYBODY.includes(name)) return everybody ? <Chip strong>{text}</Chip> : text;
  if (userIds === undefined) return <Chip>{text}</Chip>;
  const user = [...profiles.values()].find((profile) => profile.username.toLowerCase() === name);
  if (me?.username.toLowerCase() === name && userIds.includes(me.id)) return <Chip strong>{text}</Chip>;
  return user === undefined ? text : <Chip title={user.display_name}>{text}</Chip>;
}

function Chip({ strong = false, title, children }: { strong?: boolean; title?: string; children: string }) {
  return (
    <bdi
      title={title}
      className={cn(
        "rounded-xs px-0.5 font-medium",
        strong ? "bg-mention-foreground/15 text-mention-foreground" : "bg-selected text-selected-foreground",
      )}
    >
      {children}
    </bdi>
  );
}
