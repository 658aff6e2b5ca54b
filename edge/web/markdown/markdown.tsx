import { type Signal, signal } from '@preact/signals';
import type { FunctionComponent } from 'preact';
import { useEffect } from 'preact/hooks';

export interface MarkdownProps {
  text: string;
  /** Whether more text may come. */
  growing: boolean;
}

const view: Signal<FunctionComponent<MarkdownProps> | undefined> = signal(undefined);
let loading: Promise<void> | undefined;

/** Fetches what renders Markdown; wanted as soon as there is a conversation, and not before. */
export function loadMarkdown(): Promise<void> {
  loading ??= import('./markdown-view.tsx').then(({ MarkdownView }) => {
    view.value = MarkdownView;
  });
  return loading;
}

/** Markdown; its plain text until it can be rendered. */
export function Markdown(props: MarkdownProps) {
  useEffect(() => void loadMarkdown(), []);
  const View = view.value;
  return View ? <View {...props} /> : <div class="markdown plain">{props.text}</div>;
}
