import { Eye, EyeOff } from "lucide-react";
import { useState, type ComponentProps, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "@/components/ui/icon-button";
import { Input } from "@/components/ui/input";

/** A field for a password that can be shown, and that says when Caps Lock is on. */
export function PasswordInput({ "aria-describedby": described, id, ...props }: ComponentProps<typeof Input>) {
  const { t } = useTranslation("auth");
  const [shown, setShown] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const watch = (event: KeyboardEvent) => setCapsLock(event.getModifierState("CapsLock"));
  const hint = `${id ?? "password"}-caps`;
  return (
    <>
      <div className="relative">
        <Input
          id={id}
          type={shown ? "text" : "password"}
          aria-describedby={[described, capsLock && hint].filter(Boolean).join(" ") || undefined}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          className="pe-10"
          onKeyDown={watch}
          onKeyUp={watch}
          onBlur={() => setCapsLock(false)}
          {...props}
        />
        <IconButton
          label={shown ? t("password.hide") : t("password.show")}
          size="sm"
          className="absolute end-1 top-1/2 -translate-y-1/2 touch:end-0.5"
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff /> : <Eye />}
        </IconButton>
      </div>
      <p id={hint} aria-live="polite" className="text-xs text-warning-text empty:hidden">
        {capsLock && t("password.capsLock")}
      </p>
    </>
  );
}
