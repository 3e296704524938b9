import { Compass, Hash, MessageCircle, type LucideIcon } from "lucide-react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { BROWSE_PATH } from "@/lib/paths";
import { allowedOnServer } from "@/lib/permissions";
import { useSession } from "@/realtime";
import { openRoomDialog } from "../model/room-dialogs";

/** What somebody who is in no room yet can do. */
export function FirstSteps() {
  const { t } = useTranslation("rooms");
  const navigate = useNavigate();
  const mayAdd = allowedOnServer(useSession()?.user.role ?? "guest");
  return (
    <div className="flex flex-col gap-1 px-2 pt-2">
      <h2 className="px-2 text-md font-semibold text-sidebar-accent-foreground">{t("firstSteps.title")}</h2>
      <p className="px-2 pb-2 text-sidebar-muted">{mayAdd ? t("firstSteps.text") : t("firstSteps.guest")}</p>
      {mayAdd && (
        <>
          <Step icon={Compass} label={t("browse.title")} onClick={() => void navigate(BROWSE_PATH)} />
          <Step icon={Hash} label={t("create.title")} onClick={() => openRoomDialog({ kind: "create" })} />
          <Step icon={MessageCircle} label={t("direct.title")} onClick={() => openRoomDialog({ kind: "direct" })} />
        </>
      )}
    </div>
  );
}

function Step({ icon: Icon, label, onClick }: { icon: LucideIcon; label: string; onClick: () => void }) {
  return (
    <button
      type="button"
      className="flex h-9 items-center gap-2.5 rounded-sm px-2 text-start font-medium hover:bg-sidebar-accent touch:h-11"
      onClick={onClick}
    >
      <Icon aria-hidden className="size-4 shrink-0 text-sidebar-muted" />
      {label}
    </button>
  );
}
