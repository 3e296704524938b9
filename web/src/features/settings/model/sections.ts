import { Bell, KeyRound, Languages, MonitorSmartphone, Palette, UserRound, Video } from "lucide-react";

/** The pages of the settings, in their order: `/settings/profile` and so on. */
export const SECTIONS = [
  { name: "profile", icon: UserRound },
  { name: "appearance", icon: Palette },
  { name: "notifications", icon: Bell },
  { name: "calls", icon: Video },
  { name: "language", icon: Languages },
  { name: "devices", icon: MonitorSmartphone },
  { name: "password", icon: KeyRound },
] as const;

export type SectionName = (typeof SECTIONS)[number]["name"];

export function sectionOf(name: string | undefined): SectionName | undefined {
  return SECTIONS.find((section) => section.name === name)?.name;
}
