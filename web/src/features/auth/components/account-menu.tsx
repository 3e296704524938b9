import { Keyboard, LogOut, Settings, SunMoon } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuSeparator,
  DropdownMenuSub,
  DropdownMenuSubContent,
  DropdownMenuSubTrigger,
  DropdownMenuTrigger,
} from "@/components/ui/dropdown-menu";
import { setPreferences, usePreferences, type Theme } from "@/lib/preferences";
import { askForShortcuts } from "@/lib/shortcuts-sheet";
import { type Profile } from "@/realtime";
import { AccountButton } from "./account-button";
import { SignOutDialog } from "./sign-out-dialog";

const THEMES: readonly Theme[] = ["system", "light", "dark"];

export interface AccountMenuProps {
  user: Profile;
  /** Entries of other features. */
  items?: ReactNode;
}

/** Oneself at the top of the sidebar, with what belongs to the account. */
export function AccountMenu({ user, items }: AccountMenuProps) {
  const { t } = useTranslation("auth");
  const theme = usePreferences((preferences) => preferences.theme);
  const [leaving, setLeaving] = useState(false);
  return (
    <>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <AccountButton user={user} />
        </DropdownMenuTrigger>
        <DropdownMenuContent align="start" className="w-60">
          <div className="px-2 pt-1.5 pb-2">
            <p className="truncate font-medium">{user.display_name}</p>
            <p className="truncate text-sm text-muted-foreground">@{user.username}</p>
          </div>
          <DropdownMenuSeparator />
          {items}
          <DropdownMenuItem asChild>
            <Link to="/settings">
              <Settings aria-hidden />
              {t("account.settings")}
            </Link>
          </DropdownMenuItem>
          <DropdownMenuSub>
            <DropdownMenuSubTrigger>
              <SunMoon aria-hidden />
              {t("account.theme")}
            </DropdownMenuSubTrigger>
            <DropdownMenuSubContent>
              <DropdownMenuRadioGroup
                value={theme}
                onValueChange={(value) => setPreferences({ theme: value as Theme })}
              >
                {THEMES.map((one) => (
                  <DropdownMenuRadioItem key={one} value={one}>
                    {t(`account.themes.${one}`)}
                  </DropdownMenuRadioItem>
                ))}
              </DropdownMenuRadioGroup>
            </DropdownMenuSubContent>
          </DropdownMenuSub>
          <DropdownMenuItem shortcut="?" onSelect={askForShortcuts}>
            <Keyboard aria-hidden />
            {t("account.shortcuts")}
          </DropdownMenuItem>
          <DropdownMenuSeparator />
          <DropdownMenuItem onSelect={() => setLeaving(true)}>
            <LogOut aria-hidden className="rtl:rotate-180" />
            {t("account.signOut")}
          </DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
      <SignOutDialog open={leaving} onOpenChange={setLeaving} />
    </>
  );
}
