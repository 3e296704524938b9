import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "@/lib/toast";
import { onCommandRefused } from "@/realtime";

const KNOWN = ["forbidden", "room_not_found", "message_not_found", "message_deleted", "too_many_reactions"] as const;

/** Says what the server refused where no message shows it: reactions, and what was done to messages that are gone. */
export function useRefusedCommands(): void {
  const { t } = useTranslation("messages");
  useEffect(
    () =>
      onCommandRefused(({ kind, error }) => {
        const known = KNOWN.find((code) => code === error.code);
        const what = kind.startsWith("reaction") ? t("refused.reaction") : t("state.changeFailed");
        toast(what, { kind: "error", description: known === undefined ? error.message : t(`refused.${known}`) });
      }),
    [t],
  );
}
