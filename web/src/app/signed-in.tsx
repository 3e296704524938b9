import { Suspense } from "react";
import { AccountButton, AccountMenu } from "@/features/auth";
import { Calls } from "@/features/calls";
import { StrandedNotice } from "@/features/messages";
import { NotificationPrompt, Notifications, PauseItems } from "@/features/notifications";
import { RoomOverlays, Sidebar } from "@/features/rooms";
import { useSession } from "@/realtime";
import { useSwitcherExtras } from "./use-switcher-extras";
import { AppShell } from "./shell/app-shell";

/** Puts the features into the shell's slots. */
export function SignedIn() {
  const session = useSession();
  const extras = useSwitcherExtras();
  if (session === null) return null;
  const { user } = session;
  return (
    <AppShell
      sidebar={
        <>
          <div className="flex h-13 shrink-0 items-center px-2">
            <Suspense fallback={<AccountButton user={user} />}>
              <AccountMenu
                user={user}
                items={
                  <Suspense>
                    <PauseItems />
                  </Suspense>
                }
              />
            </Suspense>
          </div>
          <Sidebar />
          <NotificationPrompt />
        </>
      }
      overlay={
        <>
          <RoomOverlays actions={extras} />
          <Notifications />
          <StrandedNotice />
          <Calls userId={user.id} />
        </>
      }
    />
  );
}
