import { SmilePlus } from "lucide-react";
import { memo } from "react";
import { tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import { useTexts } from "@/lib/i18n";
import { addReaction, removeReaction, useSession, type TimelineMessage } from "@/realtime";
import { useEmoji } from "../hooks/use-emoji";
import { useNames } from "../hooks/use-names";
import { useOpenRoom } from "../model/room-ui";
import { rememberEmoji } from "../model/emoji";

const SHORTCODE = /^:(.+):$/;

interface ReactionsProps {
  message: TimelineMessage;
  disabled: boolean;
}

/** The reactions to a message with how many and who, and one button to add another. */
export const Reactions = memo(function Reactions({ message, disabled }: ReactionsProps) {
  const t = useTexts("messages");
  const { ui } = useOpenRoom();
  const reactions = Object.entries(message.reactions ?? {});
  if (reactions.length === 0) return null;
  return (
    <ul aria-label={t("reactions.label")} className="mt-1 flex flex-wrap gap-1">
      {reactions.map(([emoji, userIds]) => (
        <li key={emoji} className="flex max-w-full">
          <Reaction message={message} emoji={emoji} userIds={userIds} disabled={disabled} />
        </li>
      ))}
      {!disabled && (
        <li className="flex">
          <button
            {...tooltip(t("actions.react"))}
            type="button"
            aria-label={t("actions.react")}
            className="inline-flex h-6.5 items-center rounded-full border border-transparent px-1.5 text-muted-foreground hover:bg-accent touch:h-9 touch:px-2.5"
            onClick={(event) => ui.setState({ picker: { message, anchor: event.currentTarget } })}
          >
            <SmilePlus className="size-4" />
          </button>
        </li>
      )}
    </ul>
  );
});

interface ReactionProps {
  message: TimelineMessage;
  emoji: string;
  userIds: readonly string[];
  disabled: boolean;
}

function Reaction({ message, emoji, userIds, disabled }: ReactionProps) {
  const me = useSession()?.user.id ?? "";
  const names = useNames(userIds);
  const name = SHORTCODE.exec(emoji)?.[1];
  const known = useEmoji({ wanted: name !== undefined })?.byShortcode(name ?? "");
  const own = userIds.includes(me);
  const toggle = () => {
    if (own) void removeReaction(message.room_id, message.id, emoji);
    else {
      rememberEmoji(emoji);
      void addReaction(message.room_id, message.id, emoji);
    }
  };
  return (
    <button
      {...tooltip(names)}
      type="button"
      disabled={disabled}
      aria-pressed={own}
      onClick={toggle}
      className={cn(
        "inline-flex h-6.5 max-w-full min-w-0 items-center gap-1.5 rounded-full border px-2 text-xs tabular-nums transition-colors touch:h-9 touch:px-3",
        own
          ? "border-primary/50 bg-selected font-medium text-selected-foreground"
          : "border-transparent bg-secondary text-muted-foreground hover:border-border hover:text-foreground",
      )}
    >
      <span className="-my-0.5 truncate py-0.5 text-base leading-none">{known?.unicode ?? emoji}</span>
      {userIds.length} <span className="sr-only">{names}</span>
    </button>
  );
}
