import { useTranslation } from "react-i18next";
import { cn } from "@/lib/cn";
import { passwordStrength, type Strength } from "../model/password-strength";

const STEPS: Record<Strength, number> = { short: 1, weak: 1, fair: 2, good: 3, strong: 4 };

const COLOURS: Record<Strength, string> = {
  short: "bg-destructive",
  weak: "bg-destructive",
  fair: "bg-warning",
  good: "bg-success",
  strong: "bg-success",
};

/** How hard a password is to guess, in four steps and a word. */
export function PasswordMeter({ password }: { password: string }) {
  const { t } = useTranslation("auth");
  const strength = passwordStrength(password);
  return (
    <div className="flex items-center gap-3">
      <div
        role="meter"
        aria-label={t("password.strength")}
        aria-valuemin={0}
        aria-valuemax={4}
        aria-valuenow={STEPS[strength]}
        aria-valuetext={t(`password.level.${strength}`)}
        className="flex flex-1 gap-1"
      >
        {[1, 2, 3, 4].map((step) => (
          <span
            key={step}
            className={cn(
              "h-1 flex-1 rounded-full transition-colors",
              step <= STEPS[strength] ? COLOURS[strength] : "bg-border",
            )}
          />
        ))}
      </div>
      <span aria-hidden className="w-16 text-end text-xs text-muted-foreground">
        {t(`password.level.${strength}`)}
      </span>
    </div>
  );
}
