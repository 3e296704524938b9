import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { ApiError } from "@/lib/http";
import { useTimes } from "@/lib/time";
import { toast } from "@/lib/toast";
import { useUnsaved } from "@/lib/unsaved";
import { useCountdown } from "@/lib/use-countdown";
import { useSession } from "@/realtime";
import { changePassword } from "../api/change-password";
import { useRefusal, type Refusal } from "../hooks/use-refusal";
import { FormAlert } from "./form-alert";
import { PasswordInput } from "./password-input";
import { PasswordMeter } from "./password-meter";

const MIN_LENGTH = 10;

/** Changing one's password; every other device is signed out by it. */
export function ChangePassword() {
  const { t } = useTranslation("auth");
  const { duration } = useTimes();
  const explain = useRefusal();
  const username = useSession()?.user.username ?? "";
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [submitted, setSubmitted] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  useUnsaved(current !== "" || next !== "");
  const wait = useCountdown(refusal?.waitUntil);
  const missing = submitted && current === "" ? t("errors.required") : undefined;
  const short = submitted && Array.from(next).length < MIN_LENGTH ? t("errors.password_too_short") : undefined;
  const errorOf = (field: string) => (refusal?.field === field ? refusal.text : undefined);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setSubmitted(true);
    if (busy || wait > 0 || current === "" || Array.from(next).length < MIN_LENGTH) return;
    setBusy(true);
    setRefusal(undefined);
    try {
      await changePassword({ current_password: current, new_password: next });
      setCurrent("");
      setNext("");
      setSubmitted(false);
      toast(t("changePassword.done"), { kind: "success" });
    } catch (error) {
      const refused = explain(error);
      setRefusal({ ...refused, field: refused.field ?? fieldOf(error) });
    } finally {
      setBusy(false);
    }
  };
  const slowed = wait > 0 ? t("login.slowed", { time: duration(wait * 1000) }) : undefined;
  return (
    <form noValidate className="flex max-w-md flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <p className="text-muted-foreground">{t("changePassword.text")}</p>
      <FormAlert text={slowed ?? (refusal?.field === undefined ? refusal?.text : undefined)} />
      {/* For password managers: whose password it is. */}
      <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
      <Field label={t("changePassword.current")} error={errorOf("current_password") ?? missing}>
        {(control) => (
          <PasswordInput
            {...control}
            autoComplete="current-password"
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={t("changePassword.next")}
        hint={t("register.passwordHint")}
        error={errorOf("new_password") ?? short}
      >
        {(control) => (
          <>
            <PasswordInput
              {...control}
              autoComplete="new-password"
              value={next}
              onChange={(event) => setNext(event.target.value)}
            />
            {next !== "" && <PasswordMeter password={next} />}
          </>
        )}
      </Field>
      <Button type="submit" variant="primary" className="self-start" busy={busy} disabled={wait > 0}>
        {t("changePassword.submit")}
      </Button>
    </form>
  );
}

/** The field that a refusal is about where the server names none. */
function fieldOf(error: unknown): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.code === "wrong_password") return "current_password";
  return error.code.startsWith("password_") ? "new_password" : undefined;
}
