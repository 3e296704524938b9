import { useMutation } from "@tanstack/react-query";
import { Hash, Lock } from "lucide-react";
import { useId, useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { PeoplePicker } from "@/components/people/people-picker";
import { Button } from "@/components/ui/button";
import { DialogContent } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { roomPath } from "@/lib/paths";

import { useSession, type Profile } from "@/realtime";
import { createRoom } from "../api/create-room";
import { useRoomErrorText } from "../hooks/use-room-error-text";
import { MAX_NAME, MAX_TOPIC, roomNameProblem } from "../model/room-rules";
import { focusField } from "../model/focus-field";
import { ChoiceCards } from "./choice-cards";

const KINDS = [
  { value: "public", icon: Hash },
  { value: "private", icon: Lock },
] as const;

/** Making a room: its name, who may find it, what it is about and who is in it from the start. */
export function CreateRoomDialog({ initialName, onClose }: { initialName: string; onClose: () => void }) {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const errorText = useRoomErrorText();
  const form = useId();
  const selfId = useSession()?.user.id;
  const [name, setName] = useState(initialName);
  const [topic, setTopic] = useState("");
  const [kind, setKind] = useState<"public" | "private">("public");
  const [members, setMembers] = useState<readonly Profile[]>([]);
  const [submitted, setSubmitted] = useState(false);
  const create = useMutation({
    mutationFn: createRoom,
    onSuccess: (room) => {
      onClose();
      void navigate(roomPath(room.id));
    },
  });
  const problem = roomNameProblem(name);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setSubmitted(true);
    if (problem !== undefined || create.isPending) return;
    create.mutate({ kind, name: name.trim(), topic: topic.trim(), members: members.map((person) => person.id) });
  };
  const nameError = submitted && problem !== undefined ? t(`create.nameProblem.${problem}`) : undefined;
  return (
    <DialogContent
      onOpenAutoFocus={focusField}
      title={t("create.title")}
      footer={
        <>
          <Button onClick={onClose}>{t("cancel", { ns: "common" })}</Button>
          <Button type="submit" form={form} variant="primary" busy={create.isPending}>
            {t("create.submit")}
          </Button>
        </>
      }
    >
      <form id={form} noValidate className="flex flex-col gap-4" onSubmit={submit}>
        <Field label={t("create.name")} error={nameError}>
          {(control) => (
            <Input
              {...control}
              value={name}
              maxLength={MAX_NAME * 2}
              autoComplete="off"
              placeholder={t("create.namePlaceholder")}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <ChoiceCards
          legend={t("create.kind")}
          value={kind}
          onChange={setKind}
          choices={KINDS.map(({ value, icon }) => ({
            value,
            icon,
            label: t(`kind.${value}`),
            hint: t(`kind.${value}Hint`),
          }))}
        />
        <Field label={t("create.topic")} hint={t("create.topicHint")}>
          {(control) => (
            <Input
              {...control}
              value={topic}
              maxLength={MAX_TOPIC}
              autoComplete="off"
              onChange={(event) => setTopic(event.target.value)}
            />
          )}
        </Field>
        <PeoplePicker
          closed
          label={t("create.members")}
          picked={members}
          hidden={(person) => person.id === selfId}
          onPick={(person) => setMembers([...members, person])}
          onDrop={(person) => setMembers(members.filter((one) => one.id !== person.id))}
        />
        {create.error !== null && (
          <p role="alert" className="text-sm text-destructive-text">
            {errorText(create.error)}
          </p>
        )}
      </form>
    </DialogContent>
  );
}
