import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { usePreview } from "../hooks/use-preview";
import { CameraAndLevel } from "./camera-and-level";

/** The devices for calls. Camera and microphone are only taken once somebody wants to try them. */
export function CallSettings() {
  const { t } = useTranslation("calls");
  const [trying, setTrying] = useState(false);
  if (trying) return <Trial />;
  return (
    <div className="flex flex-col items-start gap-3">
      <p className="text-muted-foreground">{t("try.hint")}</p>
      <Button onClick={() => setTrying(true)}>{t("try.start")}</Button>
    </div>
  );
}

function Trial() {
  return <CameraAndLevel preview={usePreview()} />;
}
