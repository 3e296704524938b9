import { CircleAlert, Clock } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { useDelayed } from "@/lib/use-delayed";
import { discardCommand, retryCommand, type TimelineMessage } from "@/realtime";
import { useRefusalText } from "../hooks/use-refusal-text";
import { useOpenRoom } from "../model/room-ui";

/** A message takes so long to arrive, as a rule; before that it is not worth a word. */
const PATIENCE_MS = 1_200;

/** Under a message that is not where it should be: on its way, or refused with what can be done about it. */
export function MessageState({ message }: { message: TimelineMessage }) {
  switch (message.state) {
    case "sent":
      return null;
    case "pending":
      return <Waiting />;
    case "failed":
      return <Failed message={message} />;
  }
}

function Waiting() {
  const { t } = useTranslation("messages");
  const waiting = useDelayed(true, PATIENCE_MS);
  return (
    waiting && (
      <p className="flex items-center gap-1.5 text-xs text-muted-foreground">
        <Clock aria-hidden className="size-3" />
        {t("state.pending")}
      </p>
    )
  );
}

function Failed({ message }: { message: TimelineMessage }) {
  const { t } = useTranslation("messages");
  const { ui } = useOpenRoom();
  const refusal = useRefusalText();
  const hasText =
    message.command === undefined || message.command === "message.send" || message.command === "message.edit";
  return (
    <div className="mt-0.5 flex flex-wrap items-center gap-x-3 text-xs text-destructive-text">
      <span className="flex min-w-0 items-center gap-1.5" role="alert">
        <CircleAlert aria-hidden className="size-3.5 shrink-0" />
        {refusal(message)}
      </span>
      <Button variant="link" size="sm" onClick={() => void retryCommand(message.clientId)}>
        {t("state.retry")}
      </Button>
      {hasText && (
        <Button variant="link" size="sm" onClick={() => ui.setState({ editing: message.key })}>
          {t("state.edit")}
        </Button>
      )}
      <Button variant="link" size="sm" onClick={() => void discardCommand(message.clientId)}>
        {t("state.discard")}
      </Button>
    </div>
  );
}
