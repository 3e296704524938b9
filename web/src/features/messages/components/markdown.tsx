import type { Nodes } from "mdast";
import { memo, type ReactNode } from "react";
import { tooltip } from "@/components/ui/tooltip";
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
        {elementsOf(children, { mentioned })}
        {edited}
      </>
    );
  }
  return (
    <>
      {elementsOf(children.slice(0, -1), { mentioned })}
      <p dir="auto" className="whitespace-pre-wrap">
        {elementsOf(last.children, { mentioned })} {edited}
      </p>
    </>
  );
});

function Edited({ at }: { at: number }) {
  const t = useTexts("messages");
  const times = useTimes();
  return (
    <bdi {...tooltip(t("message.editedAt", { time: times.full(at) }))} className="text-xs text-muted-foreground">
      {t("message.edited")}
    </bdi>
  );
}

interface Part {
  mentioned: Mentioned;
  inLink?: boolean;
}

/** Elements of the page and no components, where these will do: one for each node would be felt in a list of messages. */
function elementsOf(nodes: readonly Nodes[], part: Part): ReactNode {
  return nodes.length === 1 ? elementOf(nodes[0], part, 0) : nodes.map((node, index) => elementOf(node, part, index));
}

function elementOf(node: Nodes | undefined, part: Part, key: number): ReactNode {
  switch (node?.type) {
    case "paragraph":
      return (
        <p key={key} dir="auto" className="whitespace-pre-wrap">
          {elementsOf(node.children, part)}
        </p>
      );
    case "text":
      return inline(node.value, part);
    case "strong":
      return (
        <strong key={key} className="font-semibold">
          {elementsOf(node.children, part)}
        </strong>
      );
    case "emphasis":
      return <em key={key}>{elementsOf(node.children, part)}</em>;
    case "delete":
      return <del key={key}>{elementsOf(node.children, part)}</del>;
    case "inlineCode":
      return (
        <code key={key} className="inline-code">
          {node.value}
        </code>
      );
    case "break":
      return <br key={key} />;
    case "link":
      return anchor(node.url, elementsOf(node.children, { ...part, inLink: true }), key);
    case "code":
      return <CodeBlock key={key} code={node.value} language={node.lang ?? ""} />;
    case "blockquote":
      return (
        <blockquote key={key} dir="auto" className="my-0.5 border-s-3 border-border ps-3 text-muted-foreground">
          {elementsOf(node.children, part)}
        </blockquote>
      );
    case "list": {
      const items = node.children.map((item, index) => (
        <li key={index} dir="auto">
          {elementsOf(item.children, part)}
        </li>
      ));
      return node.ordered === true ? (
        <ol key={key} start={node.start ?? 1} className="list-decimal ps-7">
          {items}
        </ol>
      ) : (
        <ul key={key} className="list-disc ps-6">
          {items}
        </ul>
      );
    }
    default:
      return null; // the parser makes no others: see markdown.test.ts
  }
}

function anchor(url: string, children: ReactNode, key: number): ReactNode {
  const href = safeHref(url);
  if (href === undefined) return children;
  return (
    <a
      key={key}
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

function inline(value: string, { mentioned, inLink = false }: Part): ReactNode {
  if (inLink) return calm(value);
  const pieces = piecesOf(value);
  if (pieces.every(({ kind }) => kind === "text")) return calm(value);
  return pieces.map((piece, index) => {
    if (piece.kind === "text") return calm(piece.value);
    if (piece.kind === "shortcode") return <Shortcode key={index} name={piece.name} />;
    return <MentionChip key={index} text={piece.value} name={piece.name} mentioned={mentioned} />;
  });
}
