import { useTranslation } from "react-i18next";
import { PeoplePicker } from "@/components/people/people-picker";
import { DialogContent } from "@/components/ui/dialog";
import { useStartDirect } from "../hooks/use-start-direct";
import { focusField } from "../model/focus-field";

/** Choosing whom to write to. */
export function DirectDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation("rooms");
  const start = useStartDirect(onClose);
  return (
    <DialogContent onOpenAutoFocus={focusField} title={t("direct.title")}>
      <PeoplePicker
        label={t("direct.to")}
        busyId={start.isPending ? start.variables.id : undefined}
        onPick={(person) => {
          if (!start.isPending) start.mutate(person);
        }}
      />
    </DialogContent>
  );
}
