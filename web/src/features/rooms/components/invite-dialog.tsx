import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { PeoplePicker } from "@/components/people/people-picker";
import { Button } from "@/components/ui/button";
import { DialogContent } from "@/components/ui/dialog";
import { useRoomName } from "@/lib/room-name";
import { toast } from "@/lib/toast";
import { useRoom, useSession, type Profile } from "@/realtime";
import { addMember } from "../api/add-member";
import { useRoomErrorText } from "../hooks/use-room-error-text";
import { membersKey } from "../hooks/use-members";
import { focusField } from "../model/focus-field";

/** Adding people to a room. Who cannot be added stays chosen, and it says why. */
export function InviteDialog({ roomId, onClose }: { roomId: string; onClose: () => void }) {
  const { t } = useTranslation("rooms");
  const room = useRoom(roomId);
  const roomName = useRoomName();
  const errorText = useRoomErrorText();
  const queries = useQueryClient();
  const selfId = useSession()?.user.id;
  const [picked, setPicked] = useState<readonly Profile[]>([]);
  const [failures, setFailures] = useState<readonly { person: Profile; error: unknown }[]>([]);
  const invite = useMutation({
    mutationFn: async (people: readonly Profile[]) => {
      const results = await Promise.allSettled(people.map((person) => addMember(roomId, person.id)));
      return people.flatMap((person, index) => {
        const result = results[index];
        return result?.status === "rejected" ? [{ person, error: result.reason as unknown }] : [];
      });
    },
    onSuccess: (failed, people) => {
      void queries.invalidateQueries({ queryKey: membersKey(roomId) });
      const added = people.length - failed.length;
      if (added > 0) toast(t("invite.added", { count: added }), { kind: "success" });
      setFailures(failed);
      setPicked(failed.map(({ person }) => person));
      if (failed.length === 0) onClose();
    },
  });
  return (
    <DialogContent
      onOpenAutoFocus={focusField}
      title={t("invite.title")}
      description={room === undefined ? undefined : t("invite.text", { room: roomName(room) })}
      footer={
        <>
          <Button onClick={onClose}>{t("cancel", { ns: "common" })}</Button>
          <Button
            variant="primary"
            busy={invite.isPending}
            disabled={picked.length === 0}
            onClick={() => invite.mutate(picked)}
          >
            {t("invite.submit")}
          </Button>
        </>
      }
    >
      <PeoplePicker
        label={t("invite.people")}
        picked={picked}
        hidden={(person) => person.id === selfId}
        onPick={(person) => setPicked([...picked, person])}
        onDrop={(person) => setPicked(picked.filter((one) => one.id !== person.id))}
      />
      {failures.length > 0 && (
        <ul role="alert" className="mt-2 flex flex-col gap-1 text-sm text-destructive-text">
          {failures.map(({ person, error }) => (
            <li key={person.id}>{t("invite.failed", { name: person.display_name, reason: errorText(error) })}</li>
          ))}
        </ul>
      )}
    </DialogContent>
  );
}
