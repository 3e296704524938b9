import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "./http";

/** Codes that locales/…/common.json explains. */
const KNOWN = [
  "network",
  "timeout",
  "rate_limited",
  "forbidden",
  "room_not_found",
  "message_not_found",
  "unavailable",
  "internal",
] as const;

const SYNONYMS: Record<string, (typeof KNOWN)[number]> = {
  busy: "unavailable",
  database_unavailable: "unavailable",
  broker_unavailable: "unavailable",
  bus_unavailable: "unavailable",
};

/** What any error says to a person. A feature that knows more of its own codes looks there first. */
export function useErrorText(): (error: unknown) => string {
  const { t } = useTranslation();
  return useCallback(
    (error) => {
      const code = error instanceof ApiError ? error.code : "";
      const known = SYNONYMS[code] ?? KNOWN.find((one) => one === code);
      if (known !== undefined) return t(`errors.${known}`);
      return t("errors.unknown", { message: error instanceof Error ? error.message : String(error) });
    },
    [t],
  );
}
