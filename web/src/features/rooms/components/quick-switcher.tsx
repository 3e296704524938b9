import { useDeferredValue, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { PersonIcon } from "@/components/people/person-icon";
import { usePeople } from "@/components/people/use-people";
import { Badge } from "@/components/ui/badge";
import { Command, CommandEmpty, CommandGroup, CommandInput, CommandItem, CommandList } from "@/components/ui/command";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { cn } from "@/lib/cn";
import { roomPath } from "@/lib/paths";
import { useRoomName } from "@/lib/room-name";
import { useRooms, useSession } from "@/realtime";
import { useStartDirect } from "../hooks/use-start-direct";
import { useSwitcherActions, type SwitcherAction } from "../hooks/use-switcher-actions";
import { rank } from "../model/fuzzy";
import { badgeCount, isUnread } from "../model/sections";
import { closeSwitcher, useSwitcherOpen } from "../model/switcher";
import { RoomIcon } from "./room-icon";

const MAX_ROOMS = 12;
const MAX_PEOPLE = 6;

export interface QuickSwitcherProps {
  /** What other features can do, besides the switcher's own. */
  actions?: readonly SwitcherAction[];
}

/** To any room, person or action by a few letters of its name. */
export function QuickSwitcher({ actions = [] }: QuickSwitcherProps) {
  const { t } = useTranslation("rooms");
  return (
    <Dialog
      open={useSwitcherOpen()}
      onOpenChange={(open) => {
        if (!open) closeSwitcher();
      }}
    >
      <DialogContent
        title={t("switcher.title")}
        hideTitle
        className="max-md:h-[85dvh] md:mt-[12vh] md:max-w-xl md:self-start"
      >
        <Choices actions={actions} />
      </DialogContent>
    </Dialog>
  );
}

function Choices({ actions }: Required<QuickSwitcherProps>) {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const nameOf = useRoomName();
  const selfId = useSession()?.user.id;
  const [text, setText] = useState("");
  const [opened] = useState(() => Date.now());
  const query = useDeferredValue(text);
  const rooms = useFoundRooms(query, nameOf, opened);
  const started = new Set(rooms.flatMap((room) => (room.kind === "direct" ? [room.peer?.id ?? selfId] : [])));
  const { people } = usePeople(query, query.trim() !== "");
  const start = useStartDirect(closeSwitcher);
  const offered = useSwitcherActions(query, actions);
  const go = (path: string) => {
    closeSwitcher();
    void navigate(path);
  };
  const strangers = query.trim() === "" ? [] : people.filter((person) => !started.has(person.id) && !person.disabled);
  // The list is filtered here, not by cmdk, which would keep an earlier choice that still matches, however badly.
  const best = rooms[0]?.id ?? (strangers[0] && `person ${strangers[0].id}`) ?? `action ${offered[0]?.id ?? ""}`;
  const [chosen, setChosen] = useState({ query: "", value: best });
  return (
    <Command
      shouldFilter={false}
      loop
      label={t("switcher.title")}
      value={chosen.query === query ? chosen.value : best}
      onValueChange={(value) => setChosen({ query, value })}
    >
      <CommandInput value={text} onValueChange={setText} placeholder={t("switcher.placeholder")} />
      <CommandList className="max-md:max-h-none">
        <CommandEmpty>{t("switcher.none")}</CommandEmpty>
        {rooms.length > 0 && (
          <CommandGroup heading={query === "" ? t("switcher.recent") : t("switcher.rooms")}>
            {rooms.map((room) => (
              <CommandItem key={room.id} value={room.id} onSelect={() => go(roomPath(room.id))}>
                <RoomIcon room={room} />
                <Name unread={isUnread(room)} username={room.peer?.username}>
                  {nameOf(room)}
                </Name>
                {badgeCount(room) > 0 && <Badge variant="mention">{badgeCount(room)}</Badge>}
              </CommandItem>
            ))}
          </CommandGroup>
        )}
        {strangers.length > 0 && (
          <CommandGroup heading={t("switcher.people")}>
            {strangers.slice(0, MAX_PEOPLE).map((person) => (
              <CommandItem key={person.id} value={`person ${person.id}`} onSelect={() => start.mutate(person)}>
                <PersonIcon person={person} />
                <Name username={person.username}>{person.display_name}</Name>
              </CommandItem>
            ))}
          </CommandGroup>
        )}
        {offered.length > 0 && (
          <CommandGroup heading={t("switcher.actions")}>
            {offered.map(({ id, icon: Icon, label, run }) => (
              <CommandItem
                key={id}
                value={`action ${id}`}
                onSelect={() => {
                  closeSwitcher();
                  run();
                }}
              >
                <span className="inline-flex size-5 shrink-0 items-center justify-center text-muted-foreground">
                  <Icon aria-hidden />
                </span>
                <span className="truncate">{label}</span>
              </CommandItem>
            ))}
          </CommandGroup>
        )}
      </CommandList>
    </Command>
  );
}

function useFoundRooms(query: string, nameOf: ReturnType<typeof useRoomName>, now: number) {
  const rooms = useRooms();
  const candidates = rooms.map((room) => ({
    item: room,
    names: [nameOf(room), ...(room.peer === undefined ? [] : [room.peer.username])],
    at: room.lastAt,
    waiting: isUnread(room),
  }));
  return rank(query.replace(/^[#@]/, ""), candidates, now).slice(0, MAX_ROOMS);
}

interface NameProps {
  /** Of a person: what tells apart those whose names are alike. */
  username?: string | undefined;
  unread?: boolean;
  children: string;
}

/** A name with the username beside it, or below it where both do not fit. */
function Name({ username, unread = false, children }: NameProps) {
  return (
    <span className="flex min-w-0 flex-1 flex-wrap gap-x-2.5">
      <span dir="auto" className={cn("truncate", unread && "font-semibold")}>
        {children}
      </span>
      {username !== undefined && <span className="truncate text-muted-foreground">@{username}</span>}
    </span>
  );
}
