import { ArrowUp, Smile, X } from "lucide-react";
import {
  memo,
  useEffectEvent,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  type KeyboardEvent,
  type Ref,
} from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/icon-button";
import { cn } from "@/lib/cn";
import { takeWritten } from "@/lib/early";
import { useMediaQuery } from "@/lib/media-query";
import { useShortcut } from "@/lib/shortcuts";
import { sendMessage, useConnection, useProfile, type TimelineMessage } from "@/realtime";
import { useDraft } from "../hooks/use-draft";
import { useTypingNotices } from "../hooks/use-typing-notices";
import { characters, COUNT_FROM, MAX_CHARACTERS } from "../model/composing";
import { plainText } from "@/lib/markdown";
import { useOpenRoom, useRoomUi } from "../model/room-ui";
import { EmojiButton } from "./emoji-button";
import { TextField, type TextFieldHandle } from "./text-field";

export interface ComposerProps {
  roomName: string;
  /** The last message of one's own that can be edited. */
  lastOwn: TimelineMessage | undefined;
  /** Something was sent: the timeline goes to its end. */
  onSent: () => void;
  ref?: Ref<{ focus: () => void }>;
}

/** Where one writes. What is sent goes to the outbox at once, with or without a network. What others write does not draw it again. */
export const Composer = memo(function Composer({ roomName, lastOwn, onSent, ref }: ComposerProps) {
  const { t } = useTranslation("messages");
  const { roomId, ui } = useOpenRoom();
  const field = useRef<TextFieldHandle>(null);
  const [text, setText] = useDraft(roomId);
  const typing = useTypingNotices(roomId);
  const replyTo = useRoomUi((state) => state.replyTo);
  const { status } = useConnection();
  const touch = useMediaQuery("(pointer: coarse)"); // there the keyboard would cover what one came to read
  const count = characters(text);
  const sendable = text.trim() !== "" && count <= MAX_CHARACTERS;
  useImperativeHandle(ref, () => ({ focus: () => field.current?.focus() }));
  useComposerShortcuts();
  const takeOver = useEffectEvent(() =>
    takeWritten(roomId, text, (written, sent, focused) => {
      for (const each of sent) void sendMessage(roomId, each);
      if (sent.length > 0) onSent();
      field.current?.replace(written);
      if (focused || !touch) field.current?.focus();
    }),
  );
  useLayoutEffect(() => takeOver(), []);

  const change = (next: string) => {
    setText(next);
    typing(next);
  };
  const send = () => {
    if (!sendable) return;
    void sendMessage(roomId, text, replyTo === undefined ? {} : { replyTo: replyTo.id });
    change("");
    ui.setState({ replyTo: undefined });
    onSent();
    field.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "Escape" && replyTo !== undefined) {
      event.stopPropagation();
      ui.setState({ replyTo: undefined });
    } else if (event.key === "ArrowUp" && text === "" && lastOwn !== undefined) {
      event.preventDefault();
      ui.setState({ editing: lastOwn.key });
    }
  };
  return (
    <div className="rounded-md border border-input bg-background transition-colors focus-within:border-ring focus-within:ring-2 focus-within:ring-ring/25 dark:bg-card">
      {replyTo !== undefined && <ReplyBar message={replyTo} onCancel={() => ui.setState({ replyTo: undefined })} />}
      <div className="flex items-end">
        <TextField
          ref={field}
          label={t("composer.label", { room: roomName })}
          placeholder={t("composer.placeholder", { room: roomName })}
          roomId={roomId}
          value={text}
          onChange={change}
          onSubmit={send}
          onKeyDown={press}
          startsFocused={!touch}
          isHome={!touch}
        />
        <div className="flex shrink-0 items-center gap-0.5 p-1.5">
          {count >= COUNT_FROM && (
            <span
              role="status"
              className={cn(
                "px-1 text-xs text-muted-foreground tabular-nums",
                count > MAX_CHARACTERS && "font-medium text-destructive-text",
              )}
            >
              {t("composer.left", { count: MAX_CHARACTERS - count })}
            </span>
          )}
          <EmojiButton onPick={(emoji) => field.current?.insert(emoji)}>
            <Smile />
          </EmojiButton>
          <IconButton
            label={t("composer.send")}
            shortcut="Enter"
            variant={sendable ? "primary" : "ghost"}
            aria-disabled={!sendable}
            onClick={send}
          >
            <ArrowUp />
          </IconButton>
        </div>
      </div>
      {(status === "offline" || status === "reconnecting") && text !== "" && (
        <p className="px-3 pb-1.5 text-xs text-muted-foreground">{t("composer.offline")}</p>
      )}
    </div>
  );
});

function ReplyBar({ message, onCancel }: { message: TimelineMessage; onCancel: () => void }) {
  const { t } = useTranslation("messages");
  const name = useProfile(message.sender_id)?.display_name ?? t("somebody");
  return (
    <div className="flex items-center gap-2 border-b ps-3 pe-1.5 text-sm text-muted-foreground">
      <p className="min-w-0 flex-1 truncate py-1.5">
        {t("composer.replyTo")} <bdi className="font-medium text-foreground">{name}</bdi>
        <bdi className="ms-2">{plainText(message.text, 120)}</bdi>
      </p>
      <IconButton size="sm" label={t("composer.cancelReply")} shortcut="Escape" onClick={onCancel}>
        <X className="size-4" />
      </IconButton>
    </div>
  );
}

const noop = () => undefined;

/** The field handles them; this lists them on the `?` sheet. */
function useComposerShortcuts(): void {
  const { t } = useTranslation("messages");
  const listed = { group: "composer", listedOnly: true } as const;
  useShortcut({ ...listed, label: t("shortcuts.send"), keys: "Enter" }, noop);
  useShortcut({ ...listed, label: t("shortcuts.newLine"), keys: "shift+Enter" }, noop);
  useShortcut({ ...listed, label: t("shortcuts.editLast"), keys: "ArrowUp" }, noop);
  useShortcut({ ...listed, label: t("shortcuts.bold"), keys: "mod+b" }, noop);
  useShortcut({ ...listed, label: t("shortcuts.italic"), keys: "mod+i" }, noop);
  useShortcut({ ...listed, label: t("shortcuts.code"), keys: "mod+e" }, noop);
}
