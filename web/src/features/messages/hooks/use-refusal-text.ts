import { useTranslation } from "react-i18next";
import type { TimelineMessage } from "@/realtime";

const KNOWN = [
  "forbidden",
  "room_not_found",
  "invalid_text",
  "message_not_found",
  "message_deleted",
  "not_yours",
  "too_many_pins",
] as const;

/** Why the server did not take what was done to a message. */
export function useRefusalText(): (message: TimelineMessage) => string {
  const { t } = useTranslation("messages");
  return ({ error, command }) => {
    const known = KNOWN.find((code) => code === error?.code);
    const reason = known === undefined ? (error?.message ?? "") : t(`refused.${known}`);
    const what = command === undefined || command === "message.send" ? t("state.failed") : t("state.changeFailed");
    return `${what} ${reason}`.trim();
  };
}
