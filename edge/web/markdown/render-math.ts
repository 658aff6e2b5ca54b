/** Typeset mathematics. KaTeX and its fonts are fetched when the first formula appears. */
import { loadOnce } from '../load-once.ts';

type Render = typeof import('katex')['default']['render'];

let render: Render | undefined;

const load = loadOnce(async () => {
  const [{ default: katex }] = await Promise.all([import('katex'), import('katex/dist/katex.min.css')]);
  render = katex.render;
});

/** Typesets the formulas in an element; at once when the library is there. */
export function renderMath(root: HTMLElement): void {
  const formulas = root.querySelectorAll<HTMLElement>('.math:not(.math-done)');
  if (formulas.length === 0) return;
  if (!render) {
    void load().then(() => render && renderMath(root));
    return;
  }
  for (const formula of formulas) {
    const source = formula.textContent;
    const displayMode = formula.classList.contains('math-display');
    // It makes nodes and sets their style by properties, which the page's policy allows.
    render(source, formula, { displayMode, throwOnError: false, trust: false, maxExpand: 200, maxSize: 20 });
    formula.classList.add('math-done');
    formula.setAttribute('aria-label', source);
    formula.setAttribute('role', 'math');
  }
}
