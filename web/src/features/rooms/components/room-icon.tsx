import { Hash, Lock } from "lucide-react";
import { Avatar } from "@/components/ui/avatar";
import { cn } from "@/lib/cn";
import { usePresence, useSession, type Profile } from "@/realtime";

export interface RoomIconProps {
  room: { kind: string; peer?: Profile };
  className?: string;
}

/** What stands before a room's name: `#`, a lock, or the other person with their presence. */
export function RoomIcon({ room, className }: RoomIconProps) {
  const self = useSession()?.user;
  if (room.kind === "direct") {
    const person = room.peer ?? self;
    return person === undefined ? null : <PersonIcon person={person} />;
  }
  const Icon = room.kind === "private" ? Lock : Hash;
  return (
    <span className={cn("inline-flex size-5 shrink-0 items-center justify-center", className)}>
      <Icon aria-hidden className="size-4 opacity-75" />
    </span>
  );
}

export function PersonIcon({ person, size = "xs" }: { person: Profile; size?: "xs" | "sm" | "md" }) {
  const presence = usePresence(person.id);
  return <Avatar id={person.id} name={person.display_name} size={size} presence={presence} />;
}
