import type { RootContent } from "hast";
import { Check, Copy } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { IconButton } from "@/components/ui/icon-button";
import { useTexts } from "@/lib/i18n";
import type { highlight as Highlight } from "../model/highlight";

export interface CodeBlockProps {
  code: string;
  language: string;
}

/** A block of code, coloured once the highlighter has come; its size is the same before and after. */
export function CodeBlock({ code, language }: CodeBlockProps) {
  const tokens = useTokens(code, language);
  return (
    <div className="group/code relative my-1 max-w-full rounded-sm border bg-muted">
      {/* eslint-disable-next-line jsx-a11y-x/no-noninteractive-tabindex -- it scrolls, also by the keyboard */}
      <pre dir="ltr" tabIndex={0} className="overflow-x-auto px-3 py-2 font-mono text-sm leading-5">
        <code>{tokens === undefined ? code : render(tokens)}</code>
      </pre>
      <CopyButton text={code} />
    </div>
  );
}

function CopyButton({ text }: { text: string }) {
  const t = useTexts("messages");
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <IconButton
      size="sm"
      variant="solid"
      label={copied ? t("code.copied") : t("code.copy")}
      className="absolute end-1 top-1 opacity-0 group-hover/code:opacity-100 focus-visible:opacity-100 touch:hidden"
      onClick={() => void copy().catch(() => undefined)}
    >
      {copied ? <Check /> : <Copy />}
    </IconButton>
  );
}

/** Once it has come, code is coloured when it is first drawn: not laid out and painted twice. */
let highlight: typeof Highlight | undefined;

/** The coloured parts, or undefined while they are not known: no language, an unknown one, or still loading. */
function useTokens(code: string, language: string): RootContent[] | undefined {
  const [loaded, setLoaded] = useState(() => highlight);
  const wanted = language !== "" && loaded === undefined;
  useEffect(() => {
    if (!wanted) return;
    let gone = false;
    void import("../model/highlight").then(
      (module) => {
        highlight = module.highlight;
        if (!gone) setLoaded(() => module.highlight);
      },
      () => undefined, // offline and not in the cache: the code is there, without colours
    );
    return () => {
      gone = true;
    };
  }, [wanted]);
  return language === "" ? undefined : loaded?.(code, language);
}

function render(nodes: readonly RootContent[]): ReactNode[] {
  return nodes.map((node, index) => {
    if (node.type === "text") return node.value;
    if (node.type !== "element") return null;
    const names = node.properties.className;
    return (
      <span key={index} className={Array.isArray(names) ? names.join(" ") : undefined}>
        {render(node.children)}
      </span>
    );
  });
}
