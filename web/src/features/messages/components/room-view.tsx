import "./message-text.css";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/lib/error-text";
import { allowedInRoom } from "@/lib/permissions";
import { useRoomName } from "@/lib/room-name";
import { toast } from "@/lib/toast";
import { useRoomsStatus, useSession, useTimeline, type RoomState, type TimelineMessage } from "@/realtime";
import { useRefusedCommands } from "../hooks/use-refused-commands";
import { createRoomUi, OpenRoomContext, type OpenRoom } from "../model/room-ui";
import { Composer } from "./composer";
import { MessageSheet } from "./message-sheet";
import { ReactionPicker } from "./reaction-picker";
import { Timeline, type TimelineHandle } from "./timeline";
import { TimelineState } from "./timeline-state";
import { TypingLine } from "./typing-line";

export interface RoomViewProps {
  room: RoomState;
  /** The message that the address names. */
  messageId?: string | undefined;
}

/** The seq after which everything is new. */
function newAfter(room: RoomState): number | undefined {
  return room.unread > 0 ? room.read : undefined;
}

/** A room that one is a member of: its messages, and where one writes. Give it the room's id as its key. */
export function RoomView({ room, messageId }: RoomViewProps) {
  const { t } = useTranslation("messages");
  const errorText = useErrorText();
  const user = useSession()?.user;
  const name = useRoomName()(room);
  const timeline = useTimeline(room.id);
  const view = useRef<TimelineHandle>(null);
  const composer = useRef<{ focus: () => void }>(null);
  const [ui] = useState(() => createRoomUi(newAfter(room)));
  const { jumpTo: load, jumpToLatest, items, messages, hasNewer, status } = timeline;

  // What the device kept may have been read elsewhere since.
  const counted = useRoomsStatus() === "ready";
  const asked = useRef(counted);
  useLayoutEffect(() => {
    if (!counted || asked.current) return;
    asked.current = true;
    if (!ui.getState().keptUnread) ui.setState({ unreadAfter: newAfter(room) });
  }, [counted, room, ui]);

  const jumpTo = useCallback(
    (target: number | string) => {
      load(target).then(
        (seq) => {
          if (seq === undefined) toast(t("jump.gone"), { kind: "error" });
          else view.current?.goTo(seq);
        },
        (error: unknown) => toast(errorText(error), { kind: "error" }),
      );
    },
    [load, t, errorText],
  );
  const open = useMemo<OpenRoom>(
    () => ({ roomId: room.id, ui, jumpTo, focusComposer: () => composer.current?.focus() }),
    [room.id, ui, jumpTo],
  );
  // Once for each address, when there is something to jump in.
  const jumped = useRef<string>(undefined);
  useEffect(() => {
    if (messageId === undefined || status === "loading" || jumped.current === messageId) return;
    jumped.current = messageId;
    jumpTo(messageId);
  }, [messageId, status, jumpTo]);

  useRefusedCommands();

  const lastOwn = messages.findLast((message) => isEditable(message, user?.id));
  const sent = useCallback(() => {
    ui.setState({ unreadAfter: undefined, keptUnread: false });
    if (hasNewer) void jumpToLatest().then(() => view.current?.toEnd());
    else view.current?.toEnd();
  }, [ui, hasNewer, jumpToLatest]);
  const maySend = user !== undefined && allowedInRoom(user.role, room.role, "send") && room.peer?.disabled !== true;
  return (
    <OpenRoomContext value={open}>
      {items.length > 0 || status === "ready" ? (
        <Timeline ref={view} room={room} timeline={timeline} />
      ) : (
        <TimelineState status={status} onRetry={() => void jumpToLatest()} />
      )}
      <div className="shrink-0 px-3 pb-[max(0.25rem,env(safe-area-inset-bottom))] md:px-5">
        {maySend ? (
          <Composer ref={composer} roomName={name} lastOwn={lastOwn} onSent={sent} />
        ) : (
          <p className="rounded-md bg-muted px-3 py-2.5 text-center text-muted-foreground">
            {room.peer?.disabled === true ? t("composer.peerGone") : t("composer.mayNot")}
          </p>
        )}
        <TypingLine roomId={room.id} />
      </div>
      <ReactionPicker />
      <MessageSheet />
    </OpenRoomContext>
  );
}

function isEditable(message: TimelineMessage, me: string | undefined): boolean {
  return message.sender_id === me && message.deleted_at === undefined && message.seq > 0;
}
