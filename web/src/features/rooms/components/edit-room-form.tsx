import { useMutation } from "@tanstack/react-query";
import { Hash, Lock } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Textarea } from "@/components/ui/textarea";
import type { RoomIdentity } from "@/realtime";
import { updateRoom } from "../api/update-room";
import { useRoomErrorText } from "../hooks/use-room-error-text";
import { MAX_TOPIC, roomNameProblem } from "../model/room-rules";
import { ChoiceCards } from "./choice-cards";

/** Changing a room's name, topic and who may find it. Others see it at once, through the room's log. */
export function EditRoomForm({ room, onDone }: { room: RoomIdentity; onDone: () => void }) {
  const { t } = useTranslation("rooms");
  const errorText = useRoomErrorText();
  const [name, setName] = useState(room.name);
  const [topic, setTopic] = useState(room.topic);
  const [kind, setKind] = useState<"public" | "private">(room.kind === "private" ? "private" : "public");
  const update = useMutation({
    mutationFn: () =>
      updateRoom(room.id, {
        ...(name.trim() === room.name ? {} : { name: name.trim() }),
        ...(topic.trim() === room.topic ? {} : { topic: topic.trim() }),
        ...(kind === room.kind ? {} : { kind }),
      }),
    onSuccess: onDone,
  });
  const problem = roomNameProblem(name);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (problem === undefined && !update.isPending) update.mutate();
  };
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={submit}>
      <Field label={t("create.name")} error={problem === undefined ? undefined : t(`create.nameProblem.${problem}`)}>
        {(control) => (
          <Input {...control} autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <Field label={t("create.topic")} hint={t("create.topicHint")}>
        {(control) => (
          <Textarea
            {...control}
            maxLength={MAX_TOPIC}
            value={topic}
            onChange={(event) => setTopic(event.target.value)}
          />
        )}
      </Field>
      <ChoiceCards
        legend={t("create.kind")}
        value={kind}
        onChange={setKind}
        choices={[
          { value: "public", icon: Hash, label: t("kind.public"), hint: t("kind.publicHint") },
          { value: "private", icon: Lock, label: t("kind.private"), hint: t("kind.privateHint") },
        ]}
      />
      {room.kind === "private" && kind === "public" && (
        <p className="text-sm text-warning-text">{t("details.openingHistory")}</p>
      )}
      {update.error !== null && (
        <p role="alert" className="text-sm text-destructive-text">
          {errorText(update.error)}
        </p>
      )}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" busy={update.isPending}>
          {t("details.save")}
        </Button>
        <Button onClick={onDone}>{t("cancel", { ns: "common" })}</Button>
      </div>
    </form>
  );
}
