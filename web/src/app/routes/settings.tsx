import { ChangePassword } from "@/features/auth";
import { CallSettings } from "@/features/calls";
import { NotificationSettings } from "@/features/notifications";
import { SettingsPage } from "@/features/settings";

/** `/settings` and `/settings/:section`. */
export function SettingsRoute() {
  return (
    <SettingsPage notifications={<NotificationSettings />} calls={<CallSettings />} password={<ChangePassword />} />
  );
}
