import { ChevronDown } from "lucide-react";
import { type ComponentProps } from "react";
import { useTranslation } from "react-i18next";
import { Avatar } from "@/components/ui/avatar";
import { type Profile } from "@/realtime";

export interface AccountButtonProps extends ComponentProps<"button"> {
  user: Profile;
}

/** Oneself: avatar and name. By itself it is what shows until the menu's code has come. */
export function AccountButton({ user, ...props }: AccountButtonProps) {
  const { t } = useTranslation("auth");
  return (
    <button
      type="button"
      className="flex h-9 min-w-0 items-center gap-2 rounded-sm ps-1.5 pe-2 hover:bg-sidebar-accent data-[state=open]:bg-sidebar-accent touch:h-11"
      {...props}
    >
      <Avatar id={user.id} name={user.display_name} size="sm" />
      <span className="relative truncate font-semibold text-sidebar-accent-foreground">
        {user.display_name}
        <span className="sr-only">, {t("account.open")}</span>
      </span>
      <ChevronDown aria-hidden className="size-3.5 shrink-0 text-sidebar-muted" />
    </button>
  );
}
