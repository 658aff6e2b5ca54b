/** The examples of the Markdown files that the end-to-end test runs: fences whose info string is `sh run` or `js run`. */
export interface RunnableBlock {
  language: 'sh' | 'js';
  code: string;
}

export function runnableBlocks(markdown: string): RunnableBlock[] {
  return [...markdown.matchAll(/^```(sh|js) run\n([\s\S]*?)^```$/gm)].map(([, language, code = '']) => ({
    language: language === 'js' ? 'js' : 'sh',
    code,
  }));
}
