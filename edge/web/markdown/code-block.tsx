import { useEffect, useState } from 'preact/hooks';
import { CopyButton } from '../view/copy-button.tsx';
import { t } from '../words/words.ts';
import { highlighted, loadHighlighter } from './highlight.ts';
import { sanitize } from './to-safe-html.ts';

export interface CodeBlockProps {
  code: string;
  language: string;
  /** Whether it still grows. It is coloured at its end: colours that jump are worse than none. */
  growing: boolean;
}

export function CodeBlock({ code, language, growing }: CodeBlockProps) {
  const [isLoaded, setLoaded] = useState(false);
  useEffect(() => {
    let gone = false;
    void loadHighlighter().then(() => {
      if (!gone) setLoaded(true);
    });
    return () => {
      gone = true;
    };
  }, []);
  const html = isLoaded && !growing ? highlighted(code, language.toLowerCase()) : undefined;
  return (
    <figure class="code">
      <figcaption>
        <span>{language || t('code')}</span>
        <CopyButton text={() => code} label={t('copyCode')} />
      </figcaption>
      {/* A reader of the keyboard must be able to scroll it. */}
      <pre tabIndex={0} role="region" aria-label={t('codeOf', { language: language || t('code') })}>
        {html === undefined ? (
          <code>{code}</code>
        ) : (
          <code dangerouslySetInnerHTML={{ __html: sanitize(html) }} />
        )}
      </pre>
    </figure>
  );
}
