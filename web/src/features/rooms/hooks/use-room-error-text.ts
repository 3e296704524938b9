import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/lib/error-text";
import { ApiError } from "@/lib/http";

const KNOWN = [
  "invalid_name",
  "removed_from_room",
  "room_full",
  "too_many_rooms",
  "unknown_user",
  "member_not_found",
  "room_last_owner",
  "direct_room",
] as const;

/** What an error about rooms and members says to a person. */
export function useRoomErrorText(): (error: unknown) => string {
  const { t } = useTranslation("rooms");
  const otherwise = useErrorText();
  return useCallback(
    (error) => {
      const known = error instanceof ApiError ? KNOWN.find((code) => code === error.code) : undefined;
      return known === undefined ? otherwise(error) : t(`errors.${known}`);
    },
    [t, otherwise],
  );
}
