import { useEffect, useEffectEvent, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useMatch, useNavigate } from "react-router";
import { useNotificationPreferences } from "@/lib/notification-preferences";
import { roomPath } from "@/lib/paths";
import { isQuiet } from "@/lib/quiet";
import { showNotification, type Shown } from "@/lib/system-notifications";
import { onRoomEvent, profileOf, roomOf, useSession, type RoomEvent } from "@/realtime";
import { decide } from "../model/decide";
import { isWatched, leadNotifications } from "../model/one-tab";
import { playTone } from "../model/tone";

/** More of a message does not fit in a notification. */
const MAX_BODY = 180;
/** Events that are remembered, so that one that comes twice is told once. */
const MAX_TOLD = 200;

/** Notify of messages, in the one of the browser's tabs that does. */
export function useMessageNotifications(): void {
  const userId = useSession()?.user.id;
  const leading = useRef(false);
  const told = useRef(new Set<string>());
  const navigate = useNavigate();
  const openId = useMatch("/r/:roomId/*")?.params.roomId;
  const describe = useDescription();

  const hear = useEffectEvent(async (event: RoomEvent, me: string) => {
    if (!leading.current || told.current.has(event.id)) return;
    const room = roomOf(event.room_id);
    const now = Date.now();
    const preferences = useNotificationPreferences.getState();
    const circumstances = { me, level: room?.level, quiet: isQuiet(preferences, now), now };
    if (decide(event, { ...circumstances, watched: false }) !== "notify" || room === undefined) return;
    remember(told.current, event.id);
    const here = openId === room.id && document.visibilityState === "visible" && document.hasFocus();
    if (here || (await isWatched(me, room.id))) return;
    if (preferences.sound) playTone().catch(() => undefined); // no device to play on
    if (preferences.enabled) {
      await showNotification(
        describe(event, preferences.preview ? await bodyOf(event) : undefined),
        (path) => void navigate(path),
      );
    }
  });

  useEffect(() => {
    if (userId === undefined) return;
    const stopLeading = leadNotifications(userId, (now) => {
      leading.current = now;
    });
    const stopHearing = onRoomEvent((event) => void hear(event, userId));
    return () => {
      stopHearing();
      stopLeading();
    };
  }, [userId]);
}

function remember(told: Set<string>, id: string): void {
  told.add(id);
  const [oldest] = told;
  if (told.size > MAX_TOLD && oldest !== undefined) told.delete(oldest);
}

/** What was written, in one line without Markdown, whose parser is fetched for rooms and not for the shell that this is a part of. */
async function bodyOf(event: RoomEvent): Promise<string> {
  const text = event.type === "message.created" ? (event.data.text ?? "") : "";
  try {
    return (await import("@/lib/markdown")).plainText(text, MAX_BODY);
  } catch {
    return text.slice(0, MAX_BODY); // better with its marks than not at all
  }
}

/** What a notification says of a message; without a `body` only that there is one. */
function useDescription() {
  const { t } = useTranslation("notifications");
  return (event: RoomEvent, body: string | undefined): Shown => {
    const room = roomOf(event.room_id);
    const author = profileOf(event.sender_id)?.display_name ?? room?.peer?.display_name ?? t("somebody");
    return {
      title: room === undefined || room.kind === "direct" ? author : t("inRoom", { author, room: room.name }),
      body: body ?? t("newMessage"),
      tag: event.room_id,
      path: roomPath(event.room_id, event.id),
    };
  };
}
