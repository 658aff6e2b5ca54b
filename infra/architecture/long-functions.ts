/** Functions that are longer than the house allows, found in the syntax tree. */
import { parseSync } from 'vite';

export const MAX_FUNCTION_LINES = 80;
const REASON = /^\s*\/\/ long: \S/;

const functions: ReadonlySet<string> = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
]);

interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

/** @returns `path:line: n lines` of each function that is too long, unless `// long: reason` stands on the line above it */
export function longFunctions(path: string, text: string): string[] {
  const { program } = parseSync(path, text);
  const lines = text.split('\n');
  const lineOf = lineFinder(text);
  const found: string[] = [];

  function visit(node: SyntaxNode): void {
    if (functions.has(node.type)) {
      const first = lineOf(node.start);
      const count = lineOf(node.end) - first + 1;
      if (count > MAX_FUNCTION_LINES && !REASON.test(lines[first - 2] ?? ''))
        found.push(`${path}:${first}: ${count} lines`);
    }
    for (const child of Object.values(node)) {
      for (const part of Array.isArray(child) ? child : [child]) if (isNode(part)) visit(part);
    }
  }

  visit(program as unknown as SyntaxNode);
  return found;
}

/** @returns what tells the line of an offset, from 1; a binary search over the beginnings of the lines */
function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return function lineOf(offset) {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
