import { type Signal, signal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';
import { loadOnce } from '../load-once.ts';
import type { MarkdownProps } from './markdown-view.tsx';

const view: Signal<FunctionComponent<MarkdownProps> | undefined> = signal(undefined);

/** Fetches what renders Markdown: when the page has nothing else to do, or when there is something to render. */
export const loadMarkdown = loadOnce(async () => {
  const { MarkdownView } = await import('./markdown-view.tsx');
  view.value = MarkdownView;
});

/** Markdown; its plain text until it can be rendered. */
export function Markdown(props: MarkdownProps) {
  useEffect(() => void loadMarkdown(), [props.growing]);
  const View = view.value;
  return View ? <View {...props} /> : <div class="markdown plain">{props.text}</div>;
}
