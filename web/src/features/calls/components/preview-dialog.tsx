import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import { usePreview } from "../hooks/use-preview";
import { CameraAndLevel } from "./camera-and-level";

export interface PreviewDialogProps {
  onBegin: (choice: { microphone: boolean; camera: boolean }) => void;
  onClose: () => void;
}

/** How one looks and whether one is heard, before anybody else sees and hears it. */
export function PreviewDialog({ onBegin, onClose }: PreviewDialogProps) {
  const { t } = useTranslation("calls");
  const preview = usePreview();
  return (
    <Dialog open onOpenChange={onClose}>
      <DialogContent
        title={t("preview.title")}
        footer={
          <Button variant="primary" size="lg" onClick={() => onBegin(preview.wanted)}>
            {t("preview.start")}
          </Button>
        }
      >
        <CameraAndLevel preview={preview} />
      </DialogContent>
    </Dialog>
  );
}
