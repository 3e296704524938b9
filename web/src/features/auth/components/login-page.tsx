import { useLayoutEffect, useRef, useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { focusFilled, takeForm } from "@/lib/early";
import { useTimes } from "@/lib/time";
import { useCountdown } from "@/lib/use-countdown";
import { startSession } from "@/realtime";
import { logIn } from "../api/log-in";
import { useRefusal, type Refusal } from "../hooks/use-refusal";
import { AuthLayout } from "./auth-layout";
import { FormAlert } from "./form-alert";
import { PasswordInput } from "./password-input";

/** Signing in; the route sends whoever is signed in on to where they wanted to go. */
export function LoginPage() {
  const { t } = useTranslation("auth");
  const { duration } = useTimes();
  const [search] = useSearchParams();
  const form = useRef<HTMLFormElement>(null);
  const explain = useRefusal();
  const [busy, setBusy] = useState(false);
  const [missing, setMissing] = useState({ login: false, password: false });
  const [refusal, setRefusal] = useState<Refusal>();
  const wait = useCountdown(refusal?.waitUntil);
  useLayoutEffect(
    () =>
      takeForm("login", (filled) => {
        const { current } = form;
        if (current === null) return;
        for (const [name, value] of Object.entries(filled.values)) {
          const input = current.elements.namedItem(name);
          if (input instanceof HTMLInputElement) input.value = value;
        }
        focusFilled(current, filled);
        if (filled.submitted) current.requestSubmit();
      }),
    [],
  );

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    const data = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = data.get(name);
      return typeof value === "string" ? value : "";
    };
    const login = text("login").trim();
    const password = text("password");
    setMissing({ login: login === "", password: password === "" });
    setRefusal(undefined);
    if (login === "" || password === "") {
      focus(form.current, login === "" ? "login" : "password");
      return;
    }
    setBusy(true);
    try {
      await startSession(await logIn({ login, password }));
    } catch (error) {
      setRefusal(explain(error));
      setBusy(false);
      focus(form.current, "password");
    }
  };

  const slowed = wait > 0 ? t("login.slowed", { time: duration(wait * 1000) }) : undefined;
  // A wait that is over leaves nothing to say: one may try again.
  const alert = refusal?.waitUntil === undefined ? refusal?.text : slowed;
  const required = t("errors.required");
  return (
    <AuthLayout
      title={t("login.title")}
      footer={
        <>
          {t("login.noAccount")}{" "}
          <Link
            className="font-medium text-link hover:underline"
            to={{ pathname: "/register", search: search.toString() }}
          >
            {t("login.register")}
          </Link>
        </>
      }
    >
      <form ref={form} noValidate className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <FormAlert text={alert} />
        <Field label={t("login.login")} error={missing.login ? required : undefined}>
          {(control) => (
            <Input
              {...control}
              name="login"
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              required
            />
          )}
        </Field>
        <Field label={t("login.password")} error={missing.password ? required : undefined}>
          {(control) => <PasswordInput {...control} name="password" autoComplete="current-password" required />}
        </Field>
        <Button type="submit" variant="primary" size="lg" busy={busy} disabled={wait > 0} className="mt-1">
          {busy ? t("login.submitting") : t("login.submit")}
        </Button>
        <p className="text-xs text-muted-foreground">{t("login.forgotten")}</p>
      </form>
    </AuthLayout>
  );
}

function focus(form: HTMLFormElement | null, name: string): void {
  const field = form?.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.focus();
}
