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
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
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

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
