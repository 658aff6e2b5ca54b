import type { Tokens } from 'marked';
import { memo } from 'preact/compat';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { CodeBlock } from './code-block.tsx';
import { renderMath } from './render-math.ts';
import { type Block, createBlockSplitter } from './split-blocks.ts';
import { toSafeHtml } from './to-safe-html.ts';

/** Markdown that may still grow: finished blocks are rendered once, only the last one anew. */
export interface MarkdownProps {
  text: string;
  /** Whether more text may come. */
  growing: boolean;
}

export function MarkdownView({ text, growing }: MarkdownProps) {
  const splitter = useMemo(createBlockSplitter, []);
  const blocks = splitter.split(text);
  return (
    <div class="markdown">
      {blocks.map((block, index) => (
        <BlockView key={block.id} block={block} growing={growing && index === blocks.length - 1} />
      ))}
    </div>
  );
}

const BlockView = memo(
  function BlockView({ block: { token }, growing }: { block: Block; growing: boolean }) {
    if (token.type === 'code') {
      const { text, lang = '' } = token as Tokens.Code;
      return <CodeBlock code={text} language={lang.split(/\s/)[0] ?? ''} growing={growing} />;
    }
    return <HtmlBlock token={token} />;
  },
  (before, after) => before.block.token === after.block.token && before.growing === after.growing,
);

function HtmlBlock({ token }: { token: Block['token'] }) {
  const ref = useRef<HTMLDivElement>(null);
  const html = useMemo(() => toSafeHtml(token), [token]);
  // Before the browser paints, so that a formula does not flicker while its paragraph grows.
  useLayoutEffect(() => {
    if (ref.current) renderMath(ref.current);
  }, [html]);
  return <div class="block" ref={ref} dangerouslySetInnerHTML={{ __html: html }} />;
}
