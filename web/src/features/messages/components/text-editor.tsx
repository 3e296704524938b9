import { useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { editFailed, editMessage, type TimelineMessage } from "@/realtime";
import { characters, MAX_CHARACTERS } from "../model/composing";
import { useOpenRoom } from "../model/room-ui";
import { TextField } from "./text-field";

/** A message's text in its own place, to be changed: Enter saves, Escape leaves it as it was. */
export function TextEditor({ message }: { message: TimelineMessage }) {
  const { t } = useTranslation("messages");
  const { t: common } = useTranslation();
  const { ui, focusComposer } = useOpenRoom();
  const [text, setText] = useState(message.text);
  const close = () => {
    ui.setState({ editing: undefined });
    focusComposer();
  };
  const valid = text.trim() !== "" && characters(text) <= MAX_CHARACTERS;
  const save = () => {
    if (!valid) return;
    if (message.state === "failed") void editFailed(message.clientId, text);
    else if (text !== message.text) void editMessage(message.room_id, message.id, text);
    close();
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  };
  return (
    <div className="my-1 rounded-md border border-input bg-background focus-within:border-ring dark:bg-card">
      <TextField
        label={t("edit.label")}
        roomId={message.room_id}
        value={text}
        onChange={setText}
        onSubmit={save}
        onKeyDown={press}
        startsFocused
      />
      <div className="flex items-center justify-end gap-2 px-2 pb-2">
        <Button size="sm" variant="ghost" onClick={close}>
          {common("cancel")}
        </Button>
        <Button size="sm" variant="primary" disabled={!valid} onClick={save}>
          {t("edit.save")}
        </Button>
      </div>
    </div>
  );
}
