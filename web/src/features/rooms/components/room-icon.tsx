import { Hash, Lock } from "lucide-react";
import { PersonIcon } from "@/components/people/person-icon";
import { cn } from "@/lib/cn";
import { useSession, type Profile } from "@/realtime";

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
