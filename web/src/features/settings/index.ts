/** What a person may choose. */

import { lazy } from "react";

export const SettingsPage = lazy(async () => ({
  default: (await import("./components/settings-page")).SettingsPage,
}));
