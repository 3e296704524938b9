import { useEffect, useLayoutEffect, useRef, useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { focusFilled, takeForm } from "@/lib/early";
import { useTimes } from "@/lib/time";
import { toast } from "@/lib/toast";
import { useCountdown } from "@/lib/use-countdown";
import { startSession } from "@/realtime";
import { register } from "../api/register";
import { useRefusal, type Refusal } from "../hooks/use-refusal";
import { checkAccount, suggestUsername, type Account, type Problem } from "../model/account-rules";
import { AuthLayout } from "./auth-layout";
import { FormAlert } from "./form-alert";
import { PasswordInput } from "./password-input";
import { PasswordMeter } from "./password-meter";

const EMPTY: Account = { display_name: "", username: "", email: "", password: "" };

/** Making an account. What is wrong with a field is said once one has left it, and of all when one submits. */
export function RegisterPage() {
  const { t } = useTranslation("auth");
  const { duration } = useTimes();
  const [search] = useSearchParams();
  const form = useRef<HTMLFormElement>(null);
  const explain = useRefusal();
  const [account, setAccount] = useState(EMPTY);
  const [named, setNamed] = useState(false);
  const [left, setLeft] = useState<Partial<Record<keyof Account, true>>>({});
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const wait = useCountdown(refusal?.waitUntil);
  const problems = checkAccount(account);
  const [submitted, setSubmitted] = useState(false);
  useLayoutEffect(
    () =>
      takeForm("register", (filled) => {
        const { username = "", display_name = "" } = filled.values;
        setAccount({ ...EMPTY, username: suggestUsername(display_name), ...withoutEmpty(filled.values) });
        setNamed(username !== "");
        focusFilled(form.current, filled);
        setSubmitted(filled.submitted);
      }),
    [],
  );
  useEffect(() => {
    if (submitted) form.current?.requestSubmit();
  }, [submitted]);

  const change = (field: keyof Account, value: string) => {
    const suggested = field === "display_name" && !named ? { username: suggestUsername(value) } : {};
    setAccount({ ...account, [field]: value, ...suggested });
    if (field === "username") setNamed(value !== "");
    if (refusal?.field === field) setRefusal(undefined);
  };

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    setLeft({ display_name: true, username: true, email: true, password: true });
    const [wrong] = Object.keys(problems);
    if (wrong !== undefined) {
      focus(form.current, wrong);
      return;
    }
    setBusy(true);
    setRefusal(undefined);
    try {
      const grant = await register(account);
      await startSession(grant);
      if (grant.user.role === "owner")
        toast(t("register.owner"), { description: t("register.ownerText"), duration: 15_000 });
    } catch (error) {
      const refused = explain(error);
      setRefusal(refused);
      setBusy(false);
      if (refused.field !== undefined) focus(form.current, refused.field);
    }
  };

  const describe = (problem: Problem) => t(`errors.${problem}`);
  const field = (name: keyof Account) => {
    const problem = left[name] === true ? problems[name] : undefined;
    return refusal?.field === name ? refusal.text : problem && describe(problem);
  };
  const input = (name: keyof Account) => ({
    name,
    value: account[name],
    required: true,
    onChange: (event: { target: { value: string } }) => change(name, event.target.value),
    // A field that one passes through empty is not wrong yet.
    onBlur: () => account[name] !== "" && setLeft({ ...left, [name]: true }),
  });
  const general = refusal?.field === undefined ? refusal?.text : undefined;
  const slowed = wait > 0 ? t("login.slowed", { time: duration(wait * 1000) }) : undefined;
  return (
    <AuthLayout
      title={t("register.title")}
      footer={
        <>
          {t("register.haveAccount")}{" "}
          <Link
            className="font-medium text-link hover:underline"
            to={{ pathname: "/login", search: search.toString() }}
          >
            {t("register.login")}
          </Link>
        </>
      }
    >
      <form ref={form} noValidate className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
        <FormAlert text={refusal?.waitUntil === undefined ? general : slowed} />
        <Field label={t("register.displayName")} hint={t("register.displayNameHint")} error={field("display_name")}>
          {(control) => <Input {...control} {...input("display_name")} autoComplete="name" />}
        </Field>
        <Field label={t("register.username")} hint={t("register.usernameHint")} error={field("username")}>
          {(control) => (
            <Input
              {...control}
              {...input("username")}
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
            />
          )}
        </Field>
        <Field label={t("register.email")} error={field("email")}>
          {(control) => <Input {...control} {...input("email")} type="email" autoComplete="email" />}
        </Field>
        <Field label={t("register.password")} hint={t("register.passwordHint")} error={field("password")}>
          {(control) => (
            <>
              <PasswordInput {...control} {...input("password")} autoComplete="new-password" />
              {account.password !== "" && <PasswordMeter password={account.password} />}
            </>
          )}
        </Field>
        <Button type="submit" variant="primary" size="lg" busy={busy} disabled={wait > 0} className="mt-1">
          {busy ? t("register.submitting") : t("register.submit")}
        </Button>
      </form>
    </AuthLayout>
  );
}

function withoutEmpty(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

function focus(form: HTMLFormElement | null, name: string): void {
  const field = form?.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.focus();
}
