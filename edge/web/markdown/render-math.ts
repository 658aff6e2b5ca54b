/** Typeset mathematics. KaTeX and its fonts are fetched when the first formula appears. */
type Render = typeof import('katex')['default']['render'];

let render: Render | undefined;
let loading: Promise<void> | undefined;

function load(): Promise<void> {
  loading ??= Promise.all([import('katex'), import('katex/dist/katex.min.css')]).then(
    ([{ default: katex }]) => {
      render = katex.render;
    },
  );
  return loading;
}

/** Typesets the formulas in an element; at once when the library is there. */
export function renderMath(root: HTMLElement): void {
  const formulas = root.querySelectorAll<HTMLElement>('.math:not(.math-done)');
  if (formulas.length === 0) return;
  if (!render) {
    void load().then(() => renderMath(root));
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
