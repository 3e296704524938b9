import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { usePageTitle } from "@/lib/page-title";

export function NotFound() {
  const { t } = useTranslation();
  usePageTitle(t("notFound.title"));
  return (
    <EmptyState
      page
      icon={Compass}
      title={t("notFound.title")}
      action={
        <Button asChild>
          <Link to="/">{t("notFound.home")}</Link>
        </Button>
      }
    >
      {t("notFound.text")}
    </EmptyState>
  );
}
