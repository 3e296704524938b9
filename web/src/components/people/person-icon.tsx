import { Avatar, type AvatarProps } from "@/components/ui/avatar";
import { usePresence, type Profile } from "@/realtime";

export interface PersonIconProps {
  person: Profile;
  size?: AvatarProps["size"];
}

/** A person with their presence, watched while it shows. */
export function PersonIcon({ person, size = "xs" }: PersonIconProps) {
  const presence = usePresence(person.id);
  return <Avatar id={person.id} name={person.display_name} size={size} presence={presence} />;
}
