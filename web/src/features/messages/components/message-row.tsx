import { Pin } from "lucide-react";
import { memo, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { Avatar } from "@/components/ui/avatar";
import { Button } from "@/components/ui/button";
import { tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import { useTexts } from "@/lib/i18n";
import { useTimes } from "@/lib/time";
import { discardCommand, useProfile, useSession, type TimelineMessage } from "@/realtime";
import { useLongPress } from "../hooks/use-long-press";
import { useOpenRoom, useRoomUi, type RoomUi } from "../model/room-ui";
import { MessageBody } from "./message-body";
import { MessageState } from "./message-state";
import { MessageToolbar } from "./message-toolbar";
import { Reactions } from "./reactions";
import { Readers } from "./readers";
import { ReplyQuote } from "./reply-quote";
import { TextEditor } from "./text-editor";

export interface MessageRowProps {
  message: TimelineMessage;
  grouped: boolean;
  /** Who has read up to this message and no further, their ids joined by spaces: equal for `memo` while nothing changed. */
  readers: string;
  canReact: boolean;
}

/** One message. It is drawn again only when it changes itself. */
export const MessageRow = memo(function MessageRow({ message, grouped, readers, canReact }: MessageRowProps) {
  const t = useTexts("messages");
  const times = useTimes();
  const { ui } = useOpenRoom();
  const me = useSession()?.user.id ?? "";
  const author = useProfile(message.sender_id);
  const [hovered, setHovered] = useState(false);
  const [menuOpen, setMenuOpen] = useState(false);
  const { current, editing, highlighted, picking, expanded } = useRoomUi(
    useShallow((state) => marksOf(state, message.key)),
  );
  const press = useLongPress(() => ui.setState({ sheet: message }));
  const name = author?.display_name ?? t("somebody");
  const deleted = message.deleted_at !== undefined;
  const forMe =
    !deleted && message.sender_id !== me && (message.mentions?.includes(me) === true || message.mentions_room === true);
  const time = times.time(message.at);

  return (
    // eslint-disable-next-line jsx-a11y-x/no-noninteractive-element-interactions -- all of it can be done by toolbar and keyboard, too
    <article
      {...press}
      data-key={message.key}
      tabIndex={current ? 0 : -1} // eslint-disable-line jsx-a11y-x/no-noninteractive-tabindex -- arrows go from message to message
      aria-label={t("message.label", { name, time })}
      onFocus={() => ui.setState({ current: message.key })}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) ui.setState({ current: undefined });
      }}
      onPointerEnter={(event) => setHovered(event.pointerType === "mouse")}
      onPointerLeave={() => setHovered(false)}
      className={cn(
        "group/message relative flex gap-3 px-4 pt-0.5 pb-1 transition-[background-color] duration-700 md:px-5 touch:select-none",
        "hover:bg-muted/70 hover:duration-0 focus-visible:outline-offset-[-2px]",
        !grouped && "mt-1 pt-1 compact:mt-0 compact:pt-0.5",
        forMe && "bg-mention shadow-[inset_2px_0_0_var(--warning)] hover:bg-mention",
        highlighted && "bg-selected/60 duration-0 hover:bg-selected/60",
      )}
    >
      {grouped ? (
        <time
          dateTime={new Date(message.at).toISOString()}
          className="w-9 shrink-0 pt-1 text-end text-[10px] leading-4 whitespace-nowrap text-muted-foreground opacity-0 group-hover/message:opacity-100 group-focus/message:opacity-100"
        >
          {time}
        </time>
      ) : (
        <Avatar id={message.sender_id} name={name} className="mt-0.5 self-start" />
      )}
      <div className="min-w-0 flex-1 text-md">
        {message.reply_to !== undefined && !deleted && <ReplyQuote messageId={message.reply_to} />}
        {!grouped && (
          <div className="flex min-w-0 items-baseline gap-2">
            <bdi className="truncate font-semibold">{name}</bdi>
            <time
              {...tooltip(times.full(message.at))}
              dateTime={new Date(message.at).toISOString()}
              className="shrink-0 text-xs text-muted-foreground"
            >
              {time}
            </time>
            {message.pinned_at !== undefined && (
              <span className="flex shrink-0 items-center gap-1 text-xs text-muted-foreground">
                <Pin aria-hidden className="size-3" />
                {t("message.pinned")}
              </span>
            )}
          </div>
        )}
        {deleted ? (
          <p className="text-base text-muted-foreground italic">
            {t("deleted.text")}
            {message.command === "message.delete" && message.recallable === true && (
              <Button
                variant="link"
                size="sm"
                className="ms-2 not-italic"
                onClick={() => void discardCommand(message.clientId)}
              >
                {t("deleted.undo")}
              </Button>
            )}
          </p>
        ) : editing ? (
          <TextEditor message={message} />
        ) : (
          <MessageBody message={message} expanded={expanded} />
        )}
        {!deleted && message.reactions !== undefined && <Reactions message={message} disabled={!canReact} />}
        {!deleted && message.state !== "sent" && <MessageState message={message} />}
      </div>
      {readers !== "" && <Readers userIds={readers} />}
      {!editing && !deleted && (hovered || current || menuOpen || picking) && (
        <MessageToolbar
          message={message}
          kept={current || menuOpen || picking}
          open={menuOpen}
          onOpenChange={setMenuOpen}
        />
      )}
    </article>
  );
});

/** What is done at a message. All of it asked for at once: each question is a subscription of each row. */
function marksOf({ current, editing, highlighted, picker, expanded }: RoomUi, key: string) {
  return {
    current: current === key,
    editing: editing === key,
    highlighted: highlighted === key,
    picking: picker?.message.key === key,
    expanded: expanded.has(key),
  };
}
