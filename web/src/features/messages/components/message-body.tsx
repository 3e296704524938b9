import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";
import { useTexts } from "@/lib/i18n";
import type { TimelineMessage } from "@/realtime";
import { isLong } from "../model/inline";
import { useOpenRoom } from "../model/room-ui";
import { Markdown } from "./markdown";

/** The text of a message; a very long one is cut until one asks for the rest. It cannot reach beyond its own place. */
export function MessageBody({ message, expanded }: { message: TimelineMessage; expanded: boolean }) {
  const long = isLong(message.text);
  return (
    <>
      <div
        className={cn(
          "message-text",
          long && !expanded && "max-h-[440px]",
          message.state === "pending" && "opacity-60",
        )}
      >
        <Markdown
          text={message.text}
          mentions={message.state === "sent" ? (message.mentions ?? NOBODY) : message.mentions}
          everybody={message.mentions_room === true}
          editedAt={message.edited_at}
        />
      </div>
      {long && <ShowMore messageKey={message.key} expanded={expanded} />}
    </>
  );
}

function ShowMore({ messageKey, expanded }: { messageKey: string; expanded: boolean }) {
  const t = useTexts("messages");
  const { ui } = useOpenRoom();
  const toggle = () =>
    ui.setState((state) => {
      const keys = new Set(state.expanded);
      if (!keys.delete(messageKey)) keys.add(messageKey);
      return { expanded: keys };
    });
  return (
    <Button variant="link" size="sm" aria-expanded={expanded} onClick={toggle}>
      {expanded ? t("text.less") : t("text.more")}
    </Button>
  );
}

const NOBODY: readonly string[] = [];
