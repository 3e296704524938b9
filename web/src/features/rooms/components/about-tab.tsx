import { LogOut, Pencil, UserPlus } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Avatar } from "@/components/ui/avatar";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { ScrollArea } from "@/components/ui/scroll-area";
import { cn } from "@/lib/cn";
import { allowedInRoom } from "@/lib/permissions";
import { useRoomName } from "@/lib/room-name";
import { useTimes } from "@/lib/time";
import { usePresence, useProfile, useSession, type RoomIdentity } from "@/realtime";
import { useRoomDetails } from "../hooks/use-room-details";
import { useSetLevel } from "../hooks/use-set-level";
import { openRoomDialog } from "../model/room-dialogs";
import { ChoiceCards } from "./choice-cards";
import { EditRoomForm } from "./edit-room-form";
import { LEVEL_ICONS, LEVELS } from "./room-menu-items";

/** What the room is: to be changed by those who may. And what of it concerns oneself. */
export function AboutTab({ room }: { room: RoomIdentity }) {
  const { t } = useTranslation("rooms");
  const role = useSession()?.user.role ?? "guest";
  const setLevel = useSetLevel(room.id);
  const may = (permission: "invite" | "update_room") => allowedInRoom(role, room.role, permission);
  return (
    <ScrollArea className="px-4 py-4">
      <div className="flex flex-col gap-5">
        {room.kind === "direct" ? <Person room={room} /> : <About room={room} editable={may("update_room")} />}
        <ChoiceCards
          legend={t("level.title")}
          value={room.level}
          onChange={(level) => setLevel.mutate(level)}
          choices={LEVELS.map((value) => ({
            value,
            icon: LEVEL_ICONS[value],
            label: t(`level.${value}`),
            hint: t(`level.${value}Hint`),
          }))}
        />
        {room.kind !== "direct" && (
          <div className="flex flex-wrap gap-2">
            {may("invite") && (
              <Button onClick={() => openRoomDialog({ kind: "invite", roomId: room.id })}>
                <UserPlus aria-hidden />
                {t("invite.title")}
              </Button>
            )}
            <Button
              className="text-destructive-text"
              onClick={() => openRoomDialog({ kind: "leave", roomId: room.id })}
            >
              <LogOut aria-hidden className="rtl:rotate-180" />
              {t("leave.title")}
            </Button>
          </div>
        )}
      </div>
    </ScrollArea>
  );
}

function Person({ room }: { room: RoomIdentity }) {
  const { t } = useTranslation();
  const self = useSession()?.user;
  const person = room.peer ?? self;
  const presence = usePresence(person?.id ?? "");
  const name = useRoomName()(room);
  if (person === undefined) return null;
  return (
    <div className="flex items-center gap-3">
      <Avatar id={person.id} name={person.display_name} size="xl" presence={presence} />
      <div className="min-w-0">
        <p dir="auto" className="text-lg font-semibold break-words">
          {name}
        </p>
        <p className="truncate text-muted-foreground">@{person.username}</p>
        <p className="text-sm text-muted-foreground">{t(`presence.${presence}`)}</p>
      </div>
    </div>
  );
}

function About({ room, editable }: { room: RoomIdentity; editable: boolean }) {
  const { t } = useTranslation("rooms");
  const times = useTimes();
  const { data } = useRoomDetails(room.id);
  const creator = useProfile(data?.created_by ?? "");
  const [editing, setEditing] = useState(false);
  if (editing) return <EditRoomForm room={room} onDone={() => setEditing(false)} />;
  return (
    <div className="relative">
      {editable && (
        <IconButton
          label={t("details.edit")}
          size="sm"
          className="absolute end-0 -top-1"
          onClick={() => setEditing(true)}
        >
          <Pencil />
        </IconButton>
      )}
      <dl className={cn("flex flex-col gap-3", editable && "*:first:pe-11")}>
        <Fact term={t("create.name")}>
          <bdi>{room.name}</bdi>
        </Fact>
        <Fact term={t("create.topic")}>
          {room.topic === "" ? <span className="text-muted-foreground">{t("details.noTopic")}</span> : room.topic}
        </Fact>
        <Fact term={t("create.kind")}>
          {t(`kind.${room.kind === "private" ? "private" : "public"}`)}
          <span className="block text-sm text-muted-foreground">
            {t(`kind.${room.kind === "private" ? "private" : "public"}Hint`)}
          </span>
        </Fact>
        {data !== undefined && (
          <Fact term={t("details.created")}>
            {creator === undefined
              ? times.day(data.created_at)
              : t("details.createdBy", { day: times.day(data.created_at), name: creator.display_name })}
          </Fact>
        )}
      </dl>
    </div>
  );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-sm font-medium text-muted-foreground">{term}</dt>
      <dd dir="auto" className="mt-0.5 break-words whitespace-pre-wrap">
        {children}
      </dd>
    </div>
  );
}
