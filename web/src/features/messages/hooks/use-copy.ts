import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { toast } from "@/lib/toast";

/** Put something on the clipboard, and say that it is `done`. */
export function useCopy(): (text: string, done: string) => void {
  const { t } = useTranslation("messages");
  return useCallback(
    (text, done) => {
      navigator.clipboard.writeText(text).then(
        () => toast(done, { kind: "success", duration: 2_000 }),
        () => toast(t("copy.refused"), { kind: "error" }),
      );
    },
    [t],
  );
}
