/** Which rooms the sidebar shows, in which order. */

import type { ListedRoom } from "@/realtime";

export type SectionName = "channels" | "directs";

export interface Section {
  name: SectionName;
  /** All of its rooms, in order. */
  rooms: readonly ListedRoom[];
  /** Those that show: all, or while it is collapsed the open one and those with something new. */
  shown: readonly ListedRoom[];
  /** Of those that do not show. */
  hidden: number;
}

export interface SectionOptions {
  collapsed: Readonly<Record<SectionName, boolean>>;
  /** The room that is open. */
  openId: string | undefined;
  /** Compares names as the language orders them. */
  compare: (a: string, b: string) => number;
}

/** Whether a room shows as unread: one that notifies of nothing only when it names the person. */
export function isUnread(room: ListedRoom): boolean {
  return room.level === "none" ? room.mentions > 0 : room.unread > 0;
}

/** What the badge of a room counts: mentions, and in a direct room everything. */
export function badgeCount(room: ListedRoom): number {
  if (room.level === "none") return 0;
  return room.kind === "direct" ? room.unread : room.mentions;
}

/** Channels by name, with the muted ones last; direct rooms by what happened last. */
export function sectionsOf(rooms: readonly ListedRoom[], { collapsed, openId, compare }: SectionOptions): Section[] {
  const channels = rooms.filter((room) => room.kind !== "direct");
  const directs = rooms.filter((room) => room.kind === "direct");
  const muted = (room: ListedRoom) => Number(room.level === "none");
  channels.sort((a, b) => muted(a) - muted(b) || compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
  directs.sort((a, b) => b.lastAt - a.lastAt || (a.id < b.id ? -1 : 1));
  const section = (name: SectionName, all: ListedRoom[]): Section => {
    const shown = collapsed[name] ? all.filter((room) => room.id === openId || isUnread(room)) : all;
    return { name, rooms: all, shown, hidden: all.length - shown.length };
  };
  return [section("channels", channels), section("directs", directs)];
}

/** The room to go to from the open one, around the ends; undefined where there is no other. */
export function neighbour(
  rooms: readonly ListedRoom[],
  openId: string | undefined,
  step: 1 | -1,
  accept: (room: ListedRoom) => boolean = () => true,
): ListedRoom | undefined {
  const start = rooms.findIndex((room) => room.id === openId);
  const from = start === -1 && step === -1 ? 0 : start;
  for (let passed = 1; passed <= rooms.length; passed += 1) {
    const room = rooms[(from + step * passed + rooms.length * 2) % rooms.length];
    if (room !== undefined && room.id !== openId && accept(room)) return room;
  }
  return undefined;
}
