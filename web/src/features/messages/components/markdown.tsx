import type { Nodes } from "mdast";
import { memo, type ReactNode } from "react";
import { Tooltip } from "@/components/ui/tooltip";
import { useTexts } from "@/lib/i18n";
import { useTimes } from "@/lib/time";
import { isFewEmoji, piecesOf } from "../model/inline";
import { calm, parseMarkdown, safeHref } from "@/lib/markdown";
import { CodeBlock } from "./code-block";
import { MentionChip } from "./mention-chip";
import { Shortcode } from "./shortcode";

/** Whom the server takes to be mentioned; undefined while it has not seen the text. */
export interface Mentioned {
  userIds: readonly string[] | undefined;
  /** Whether `@room` is meant for everybody. */
  everybody: boolean;
}

export interface MarkdownProps {
  text: string;
  mentions: readonly string[] | undefined;
  everybody: boolean;
  /** When it was edited: said after its last word. */
  editedAt: number | undefined;
}

/**
 * A message's text as React elements: nothing of it is ever HTML. Every block takes its direction from its own first strong letter,
 * and names and links are isolated, so that no text turns around what stands beside it.
 */
export const Markdown = memo(function Markdown({ text, mentions, everybody, editedAt }: MarkdownProps) {
  const edited = editedAt !== undefined && <Edited at={editedAt} />;
  if (isFewEmoji(text)) {
    return (
      <p className="text-2xl leading-9">
        {text} {edited}
      </p>
    );
  }
  const mentioned = { userIds: mentions, everybody };
  const { children } = parseMarkdown(text);
  const last = children.at(-1);
  if (last?.type !== "paragraph") {
    return (
      <>
        <Children nodes={children} mentioned={mentioned} />
        {edited}
      </>
    );
  }
  return (
    <>
      <Children nodes={children.slice(0, -1)} mentioned={mentioned} />
      <p dir="auto" className="whitespace-pre-wrap">
        <Children nodes={last.children} mentioned={mentioned} /> {edited}
      </p>
    </>
  );
});

function Edited({ at }: { at: number }) {
  const t = useTexts("messages");
  const times = useTimes();
  return (
    <Tooltip label={t("message.editedAt", { time: times.full(at) })}>
      <bdi className="text-xs text-muted-foreground">{t("message.edited")}</bdi>
    </Tooltip>
  );
}

interface Part {
  mentioned: Mentioned;
  inLink?: boolean;
}

function Children({ nodes, ...part }: Part & { nodes: readonly Nodes[] }) {
  return nodes.map((node, index) => <Node key={index} node={node} {...part} />);
}

function Node({ node, ...part }: Part & { node: Nodes }): ReactNode {
  switch (node.type) {
    case "paragraph":
      return (
        <p dir="auto" className="whitespace-pre-wrap">
          <Children nodes={node.children} {...part} />
        </p>
      );
    case "text":
      return <Inline value={node.value} {...part} />;
    case "strong":
      return (
        <strong className="font-semibold">
          <Children nodes={node.children} {...part} />
        </strong>
      );
    case "emphasis":
      return (
        <em>
          <Children nodes={node.children} {...part} />
        </em>
      );
    case "delete":
      return (
        <del>
          <Children nodes={node.children} {...part} />
        </del>
      );
    case "inlineCode":
      return <code className="inline-code">{node.value}</code>;
    case "break":
      return <br />;
    case "link":
      return (
        <Anchor url={node.url}>
          <Children nodes={node.children} {...part} inLink />
        </Anchor>
      );
    case "code":
      return <CodeBlock code={node.value} language={node.lang ?? ""} />;
    case "blockquote":
      return (
        <blockquote dir="auto" className="my-0.5 border-s-3 border-border ps-3 text-muted-foreground">
          <Children nodes={node.children} {...part} />
        </blockquote>
      );
    case "list": {
      const items = node.children.map((item, index) => (
        <li key={index} dir="auto">
          <Children nodes={item.children} {...part} />
        </li>
      ));
      return node.ordered === true ? (
        <ol start={node.start ?? 1} className="list-decimal ps-7">
          {items}
        </ol>
      ) : (
        <ul className="list-disc ps-6">{items}</ul>
      );
    }
    default:
      return null; // the parser makes no others: see markdown.test.ts
  }
}

function Anchor({ url, children }: { url: string; children: ReactNode }) {
  const href = safeHref(url);
  if (href === undefined) return children;
  return (
    <a
      href={href}
      title={href}
      target="_blank"
      rel="noopener noreferrer"
      dir="auto"
      className="text-link underline decoration-link/40 underline-offset-2 [unicode-bidi:isolate] hover:decoration-link"
    >
      {children}
    </a>
  );
}

function Inline({ value, mentioned, inLink = false }: Part & { value: string }) {
  if (inLink) return calm(value);
  return piecesOf(value).map((piece, index) => {
    if (piece.kind === "text") return calm(piece.value);
    if (piece.kind === "shortcode") return <Shortcode key={index} name={piece.name} />;
    return <MentionChip key={index} text={piece.value} name={piece.name} mentioned={mentioned} />;
  });
}
