import { expect, test } from 'vitest';
import { circlesOf, importGraph, importsOf } from './import-graph.ts';
import { upwardImports } from './import-picture.ts';
import { longFunctions } from './long-functions.ts';

const graphOf = (files: Record<string, string>) =>
  importGraph(Object.keys(files), (path) => files[path] ?? '');

test('every way to import a file is seen', () => {
  const text = [
    "import { a } from './a.ts';",
    "import type { B } from '../b.ts';",
    "export { c } from './c.ts';",
    "export * from './d.ts';",
    "const e = await import('./e.ts');",
    "type F = import('./f.ts').F;",
    "import { z } from 'zod';",
  ].join('\n');
  expect(importsOf('edge/chat/x.ts', text).sort()).toEqual(
    ['edge/b.ts', ...['a', 'c', 'd', 'e', 'f'].map((name) => `edge/chat/${name}.ts`)].sort(),
  );
});

test('a circle of types is a circle, and a chain is none', () => {
  const graph = graphOf({
    'edge/a.ts': "import type { B } from './b.ts';",
    'edge/b.ts': "import { c } from './c.ts';",
    'edge/c.ts': "import type { A } from './a.ts';",
    'edge/d.ts': "import { a } from './a.ts';",
  });
  expect(circlesOf(graph)).toEqual([['edge/a.ts', 'edge/b.ts', 'edge/c.ts']]);
});

test('an import from a lower room to a higher one is listed', () => {
  const graph = graphOf({
    'edge/http/route.ts': "import { answer } from '../chat/answer.ts';",
    'edge/chat/answer.ts': "import type { Route } from '../http/route.ts';",
  });
  expect(upwardImports(graph, { edge: ['http', 'chat'] })).toEqual([
    'edge/chat/answer.ts -> edge/http/route.ts',
  ]);
});

test('a long function needs a reason', () => {
  const body = `function f() {\n${'  void 0;\n'.repeat(80)}}\n`;
  expect(longFunctions('a.ts', body)).toEqual(['a.ts:1: 82 lines']);
  expect(longFunctions('a.ts', `// long: one table\n${body}`)).toEqual([]);
  expect(longFunctions('a.ts', 'function f() {}\n')).toEqual([]);
});
