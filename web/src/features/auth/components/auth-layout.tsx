import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Logo } from "@/components/logo";
import { LANGUAGES, type LanguageCode } from "@/lib/i18n";
import { usePageTitle } from "@/lib/page-title";
import { setPreferences } from "@/lib/preferences";

/** The page of those who are not signed in: one column in the middle, the languages below. */
export function AuthLayout({ title, children, footer }: { title: string; children: ReactNode; footer?: ReactNode }) {
  const { t, i18n } = useTranslation("auth");
  usePageTitle(title);
  return (
    <div className="flex h-dvh flex-col overflow-y-auto bg-sidebar px-4 [--ground:var(--sidebar)]">
      <main className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center py-10">
        <div className="mb-7 flex items-center gap-2.5">
          <Logo className="size-8" />
          <span className="text-lg font-semibold tracking-tight">{t("product")}</span>
        </div>
        <h1 className="mb-5 text-2xl font-semibold tracking-tight">{title}</h1>
        {children}
        {footer !== undefined && <p className="mt-6 text-base text-muted-foreground">{footer}</p>}
      </main>
      <nav aria-label={t("languages")} className="flex flex-wrap justify-center gap-x-4 py-4 text-sm">
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <button
            key={code}
            type="button"
            lang={code}
            aria-current={i18n.language === code || undefined}
            className="rounded-sm px-1 text-muted-foreground hover:text-foreground aria-[current=true]:font-medium aria-[current=true]:text-foreground touch:py-3"
            onClick={() => setPreferences({ language: code as LanguageCode })}
          >
            {name}
          </button>
        ))}
      </nav>
    </div>
  );
}
