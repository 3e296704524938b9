import { useTranslation } from "react-i18next";
import { useErrorText } from "@/lib/error-text";
import { ApiError } from "@/lib/http";

/** What a refused form shows: a text for one of its fields, or for the whole, and when to try again. */
export interface Refusal {
  field: string | undefined;
  text: string;
  /** Wall time in ms before which trying again is in vain. */
  waitUntil: number | undefined;
}

const KNOWN = [
  "invalid_credentials",
  "account_disabled",
  "username_taken",
  "email_taken",
  "email_invalid",
  "display_name_invalid",
  "username_invalid",
  "password_too_short",
  "password_too_long",
  "password_too_common",
  "password_is_name",
  "passwords_busy",
  "wrong_password",
] as const;

const REASONS = ["length", "characters", "mixed_scripts", "lookalike", "reserved"] as const;

/** The field that a code is about where the server names none. */
const FIELDS: Record<string, string> = { username_taken: "username", email_taken: "email" };

export function useRefusal(): (error: unknown) => Refusal {
  const { t } = useTranslation("auth");
  const otherwise = useErrorText();
  return (error) => {
    if (!(error instanceof ApiError)) return { field: undefined, text: otherwise(error), waitUntil: undefined };
    const known = KNOWN.find((code) => code === error.code);
    const reason = known === "username_invalid" && REASONS.find((one) => one === error.details.reason);
    const text = reason ? t(`errors.username.${reason}`) : known ? t(`errors.${known}`) : otherwise(error);
    const waitUntil = error.retryAfter === undefined ? undefined : Date.now() + error.retryAfter * 1000;
    return { field: error.field ?? FIELDS[error.code], text, waitUntil };
  };
}
