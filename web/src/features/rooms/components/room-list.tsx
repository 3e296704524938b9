import { Fragment, lazy, Suspense, useEffect, useEffectEvent, useRef, useState } from "react";
import { ScrollArea } from "@/components/ui/scroll-area";
import type { ListedRoom } from "@/realtime";
import { useOpenRoomId } from "../hooks/use-sections";
import type { Section } from "../model/sections";
import type { RoomMenuPlace } from "./room-context-menu";
import { RoomRow } from "./room-row";
import { SectionHeading } from "./section-heading";
import { VirtualRows, type Revealer } from "./virtual-rows";

/** Lists longer than this render only what is in sight. */
const VIRTUAL_FROM = 200;

const RoomContextMenu = lazy(async () => ({ default: (await import("./room-context-menu")).RoomContextMenu }));

type Entry = { key: string; section: Section } | { key: string; room: ListedRoom };

function entriesOf(sections: readonly Section[]): Entry[] {
  return sections.flatMap((section): Entry[] => [
    { key: section.name, section },
    ...section.shown.map((room) => ({ key: room.id, room })),
  ]);
}

/** The sections with their rooms: one stop for Tab, the arrow keys within, and a menu for each room. */
export function RoomList({ sections }: { sections: readonly Section[] }) {
  const entries = entriesOf(sections);
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const virtual = useRef<Revealer>(null);
  const openId = useOpenRoomId();
  const [focused, setFocused] = useState<string>();
  const [menu, setMenu] = useState<RoomMenuPlace>();

  const ids = entries.flatMap((entry) => ("room" in entry ? [entry.room.id] : []));
  const tabbable = [focused, openId].find((id) => id !== undefined && ids.includes(id)) ?? ids[0];

  const focus = (id: string) => {
    setFocused(id);
    virtual.current?.reveal(entries.findIndex((entry) => entry.key === id));
    // A virtual row is there only after the list has moved.
    requestAnimationFrame(() => scroller?.querySelector<HTMLElement>(`[data-room="${CSS.escape(id)}"]`)?.focus());
  };
  const press = useEffectEvent((event: KeyboardEvent) => {
    const id = rowOf(event)?.dataset.room;
    const plain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (id === undefined || !plain) return;
    const next = ids[targetOf(event.key, ids.indexOf(id), ids.length) ?? -1];
    if (next === undefined) return;
    event.preventDefault();
    focus(next);
  });
  // Listened to here for all rows: they are memoised, and a handler each would make them render with every event.
  useEffect(() => {
    const ask = (event: MouseEvent) => {
      const row = rowOf(event);
      if (row?.dataset.room === undefined) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      const pointed = event.clientX > 0 && event.clientY > 0;
      const [x, y] = pointed ? [event.clientX, event.clientY] : [box.left + 24, box.bottom];
      setMenu({ roomId: row.dataset.room, row, x, y });
    };
    scroller?.addEventListener("keydown", press);
    scroller?.addEventListener("contextmenu", ask);
    return () => {
      scroller?.removeEventListener("keydown", press);
      scroller?.removeEventListener("contextmenu", ask);
    };
  }, [scroller]);

  // The open room is in sight, also when it was opened by keyboard or from elsewhere; but not whenever the order changes.
  const reveal = useEffectEvent((id: string) => {
    const index = entries.findIndex((entry) => entry.key === id);
    if (index === -1) return;
    virtual.current?.reveal(index);
    scroller?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  });
  useEffect(() => {
    if (openId !== undefined && scroller !== null) reveal(openId);
  }, [openId, scroller]);

  const render = (entry: Entry) =>
    "room" in entry ? (
      <RoomRow room={entry.room} tabbable={entry.room.id === tabbable} />
    ) : (
      <SectionHeading section={entry.section} />
    );

  return (
    <ScrollArea ref={setScroller} className="px-2 pb-4">
      {entries.length <= VIRTUAL_FROM
        ? entries.map((entry) => <Fragment key={entry.key}>{render(entry)}</Fragment>)
        : scroller !== null && (
            <VirtualRows
              ref={virtual}
              count={entries.length}
              keyOf={(index) => entries[index]?.key ?? index.toString()}
              scroller={scroller}
              render={(index) => {
                const entry = entries[index];
                return entry === undefined ? null : render(entry);
              }}
            />
          )}
      <Suspense>
        {menu !== undefined && <RoomContextMenu key={menu.roomId} place={menu} onClose={() => setMenu(undefined)} />}
      </Suspense>
    </ScrollArea>
  );
}

function rowOf(event: Event): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>("[data-room]") : null;
}

function targetOf(key: string, index: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
      return Math.min(index + 1, count - 1);
    case "ArrowUp":
      return Math.max(index - 1, 0);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
