import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, useParams } from "react-router";
import { Page, PageHeader } from "@/components/page";
import { ScrollArea } from "@/components/ui/scroll-area";
import { cn } from "@/lib/cn";
import { usePhone } from "@/lib/media-query";
import { usePageTitle } from "@/lib/page-title";
import { settingsPath } from "@/lib/paths";
import { useLeaving } from "../hooks/use-leaving";
import { SECTIONS, sectionOf, type SectionName } from "../model/sections";
import { AppearanceSection } from "./appearance-section";
import { DevicesSection } from "./devices-section";
import { LanguageSection } from "./language-section";
import { ProfileSection } from "./profile-section";

export interface SettingsPageProps {
  /** What belongs to other features. */
  notifications: ReactNode;
  calls: ReactNode;
  password: ReactNode;
}

/** `/settings` and a page for each section. On a phone the list of them is a page of its own. */
export function SettingsPage({ notifications, calls, password }: SettingsPageProps) {
  const { t } = useTranslation("settings");
  const phone = usePhone();
  const { section: named } = useParams();
  const section = sectionOf(named);
  useLeaving();
  usePageTitle(section === undefined ? t("title") : t(`sections.${section}`));
  if (section === undefined && (!phone || named !== undefined)) {
    return <Navigate to={settingsPath(phone ? undefined : "profile")} replace />;
  }
  const contents: Record<SectionName, ReactNode> = {
    profile: <ProfileSection />,
    appearance: <AppearanceSection />,
    notifications,
    calls,
    language: <LanguageSection />,
    devices: <DevicesSection />,
    password,
  };
  return (
    <Page
      header={
        <PageHeader
          title={phone && section !== undefined ? t(`sections.${section}`) : t("title")}
          backTo={section === undefined ? "/" : settingsPath()}
        />
      }
    >
      <div className="flex min-h-0 flex-1">
        {(!phone || section === undefined) && <SectionList />}
        {section !== undefined && (
          <ScrollArea>
            <div className="mx-auto w-full max-w-2xl px-4 py-6 md:px-8">
              <h2 className="mb-5 text-xl font-semibold max-md:sr-only">{t(`sections.${section}`)}</h2>
              {contents[section]}
            </div>
          </ScrollArea>
        )}
      </div>
    </Page>
  );
}

function SectionList() {
  const { t } = useTranslation("settings");
  return (
    <nav aria-label={t("title")} className="flex w-52 shrink-0 flex-col gap-0.5 p-3 max-md:w-full md:border-e">
      {SECTIONS.map(({ name, icon: Icon }) => (
        <NavLink
          key={name}
          to={settingsPath(name)}
          className={({ isActive }) =>
            cn(
              "flex h-8 items-center gap-2.5 rounded-sm px-2.5 hover:bg-accent touch:h-12",
              isActive && "bg-selected font-medium text-selected-foreground hover:bg-selected",
            )
          }
        >
          <Icon aria-hidden className="size-4 opacity-75" />
          {t(`sections.${name}`)}
        </NavLink>
      ))}
    </nav>
  );
}
