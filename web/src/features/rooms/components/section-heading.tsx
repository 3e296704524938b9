import { ChevronDown, Compass, Plus } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { iconButtonVariants } from "@/components/ui/button-variants";
import { IconButton } from "@/components/ui/icon-button";
import { tooltip } from "@/components/ui/tooltip";
import { cn } from "@/lib/cn";
import { BROWSE_PATH } from "@/lib/paths";
import { allowedOnServer } from "@/lib/permissions";
import { useSession } from "@/realtime";
import { openRoomDialog } from "../model/room-dialogs";
import type { Section } from "../model/sections";
import { toggleSection, useSidebarState } from "../model/sidebar-state";

/** The name of a section, which folds it, and what adds to it. */
export function SectionHeading({ section }: { section: Section }) {
  const { t } = useTranslation("rooms");
  const collapsed = useSidebarState((state) => state.collapsed[section.name]);
  const mayAdd = allowedOnServer(useSession()?.user.role ?? "guest");
  const button = "size-6 text-sidebar-muted hover:bg-sidebar-accent [&_svg:not([class*=size-])]:size-4";
  return (
    <div className="flex h-8 items-center gap-0.5 pe-1 touch:h-11 touch:pe-0">
      <h2 className="min-w-0 flex-1">
        <button
          type="button"
          aria-expanded={!collapsed}
          className="flex h-7 w-full items-center gap-1 rounded-sm ps-2 text-start text-sm font-medium text-sidebar-muted hover:text-sidebar-accent-foreground touch:h-11"
          onClick={() => toggleSection(section.name)}
        >
          {t(`sections.${section.name}`)}
          <ChevronDown
            aria-hidden
            className={cn("size-3.5 transition-transform", collapsed && "-rotate-90 rtl:rotate-90")}
          />
          {collapsed && section.hidden > 0 && <span className="ms-1 text-xs tabular-nums">{section.hidden}</span>}
        </button>
      </h2>
      {mayAdd && section.name === "channels" && (
        <>
          <Link
            {...tooltip(t("browse.title"))}
            to={BROWSE_PATH}
            aria-label={t("browse.title")}
            className={cn(iconButtonVariants(), button)}
          >
            <Compass aria-hidden />
          </Link>
          <IconButton label={t("create.title")} className={button} onClick={() => openRoomDialog({ kind: "create" })}>
            <Plus />
          </IconButton>
        </>
      )}
      {mayAdd && section.name === "directs" && (
        <IconButton label={t("direct.title")} className={button} onClick={() => openRoomDialog({ kind: "direct" })}>
          <Plus />
        </IconButton>
      )}
    </div>
  );
}
