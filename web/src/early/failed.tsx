import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";

/** The application's files cannot be had: above what index.html shows, in which what was written stays to be seen. */
export function Failed() {
  const { t } = useTranslation();
  return (
    <div
      role="alert"
      className="absolute inset-x-0 top-0 flex flex-wrap items-center justify-center gap-x-4 gap-y-2 border-b bg-card px-4 py-3 text-sm"
    >
      <p className="min-w-0 wrap-anywhere">{t("errors.start")}</p>
      <Button size="sm">{t("errors.reload")}</Button>
    </div>
  );
}
