import { useMutation } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { Avatar } from "@/components/ui/avatar";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { useErrorText } from "@/lib/error-text";
import { ApiError } from "@/lib/http";
import { toast } from "@/lib/toast";
import { useUnsaved } from "@/lib/unsaved";
import { accountChanged, useSession, type Session } from "@/realtime";
import { changeAccount } from "../api/change-account";

const MAX_NAME = 64;

/** How others see one. */
export function ProfileSection() {
  const session = useSession();
  return session === null ? null : <ProfileForm user={session.user} />;
}

function ProfileForm({ user }: { user: Session["user"] }) {
  const { t } = useTranslation("settings");
  const errorText = useErrorText();
  const [name, setName] = useState(user.display_name);
  const save = useMutation({
    mutationFn: () => changeAccount({ display_name: name.trim() }),
    onSuccess: (changed) => {
      accountChanged(changed);
      setName(changed.display_name);
      toast(t("profile.saved"), { kind: "success" });
    },
  });
  const trimmed = name.trim();
  const changed = trimmed !== user.display_name;
  useUnsaved(changed);
  const invalid = trimmed === "" || Array.from(trimmed).length > MAX_NAME;
  const refused = save.error instanceof ApiError && save.error.code === "display_name_invalid";
  const error = invalid || refused ? t("profile.nameInvalid") : save.error === null ? undefined : errorText(save.error);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (changed && !invalid && !save.isPending) save.mutate();
  };
  return (
    <form noValidate className="flex max-w-md flex-col gap-5" onSubmit={submit}>
      <div className="flex items-center gap-4">
        <Avatar id={user.id} name={trimmed === "" ? user.username : trimmed} size="xl" />
        <div className="min-w-0">
          <p dir="auto" className="truncate text-lg font-semibold">
            {trimmed === "" ? user.username : trimmed}
          </p>
          <p className="truncate text-muted-foreground">@{user.username}</p>
        </div>
      </div>
      <Field label={t("profile.name")} hint={t("profile.nameHint")} error={changed ? error : undefined}>
        {(control) => (
          <Input
            {...control}
            autoComplete="name"
            value={name}
            onChange={(event) => {
              setName(event.target.value);
              save.reset();
            }}
          />
        )}
      </Field>
      <Field label={t("profile.username")} hint={t("profile.fixed")}>
        {(control) => <Input {...control} readOnly className="bg-muted" value={user.username} />}
      </Field>
      <Field label={t("profile.email")}>
        {(control) => <Input {...control} readOnly type="email" className="bg-muted" value={user.email} />}
      </Field>
      <Button
        type="submit"
        variant="primary"
        className="self-start"
        busy={save.isPending}
        disabled={!changed || invalid}
      >
        {t("save")}
      </Button>
    </form>
  );
}
