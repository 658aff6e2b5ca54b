/** Links, commands, paths and variables of the documentation are real, and both languages agree. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../local/settings.ts';
import { runnableBlocks } from './runnable-blocks.ts';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const listed = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    cwd: projectRoot,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(projectRoot, path)));

const pages = listed('*.md').filter((path) =>
  /^(?:README|CONTRIBUTING|SECURITY|CHANGELOG|docs\/|infra\/)/.test(path),
);
/** Our own words: the changes and the decisions also name what is no longer there. */
const current = pages.filter((path) => !/^CHANGELOG|^docs\/decisions\/|migration\.md$/.test(path));
/** What stands in a page for something that the reader chooses or makes. */
const placeholders = new Set(['infra/config/word-lists/words.txt', 'CORE_OF_THE_REGION']);
const withoutFences = (markdown: string) => markdown.replace(/^```[\s\S]*?^```$/gm, '');
const headings = (markdown: string) => withoutFences(markdown).match(/^#{1,6} .+$/gm) ?? [];

/** The anchors of a page by GitHub's rule: lower case, no punctuation, hyphens for spaces, a number for a repeat. */
function anchorsOf(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set([...markdown.matchAll(/<a id="([^"]+)"/g)].map(([, id = '']) => id));
  for (const heading of headings(markdown)) {
    const text = heading
      .replace(/^#+ /, '')
      .replace(/\]\([^)]*\)/g, ']')
      .toLowerCase();
    const slug = text.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
    // VitePress puts an underscore before a heading that begins with a digit.
    if (/^\d/.test(slug)) anchors.add(`_${slug}`);
  }
  return anchors;
}

function brokenLinks(path: string): string[] {
  const markdown = withoutFences(read(path));
  const targets = [
    ...[...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
    ...[...markdown.matchAll(/src="([^"]+)"/g)].map(([, target = '']) => target),
  ];
  return targets.filter((target) => {
    if (/^(?:https?:|mailto:|\/)/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const linked = file === '' ? path : normalize(join(dirname(path), file));
    if (!existsSync(join(projectRoot, linked))) return true;
    if (!anchor || statSync(join(projectRoot, linked)).isDirectory()) return false;
    return !anchorsOf(read(linked)).has(decodeURIComponent(anchor));
  });
}

describe('every page', () => {
  test('links to files and headings that exist', () => {
    expect(pages.flatMap((path) => brokenLinks(path).map((target) => `${path} -> ${target}`))).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const missing = current.flatMap((path) =>
      [...read(path).matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)]
        .filter(([, name = '']) => !(name in scripts))
        .map(([command]) => `${path}: ${command}`),
    );
    expect(missing).toEqual([]);
  });

  test('names paths of the repository that exist', () => {
    const missing = current.flatMap((path) =>
      [...withoutFences(read(path)).matchAll(/`((?:edge|core|shared|infra|docs|\.github)\/[\w./-]+)`/g)]
        .map(([, named = '']) => named)
        .filter((named) => !placeholders.has(named) && !existsSync(join(projectRoot, named)))
        .map((named) => `${path}: ${named}`),
    );
    expect(missing).toEqual([]);
  });

  test('names variables that the code reads', () => {
    const code = listed('edge/*.ts', 'core/*.ts', 'infra')
      .filter((path) => /\.(?:ts|toml|tf|ya?ml)$/.test(path) && !path.endsWith('.test.ts'))
      .map(read)
      .join('\n');
    const known = new Set(code.match(/\b(?:EDGEWISE|CORE)_[A-Z0-9_]*[A-Z0-9]\b/g));
    const unknown = current.flatMap((path) =>
      (read(path).match(/\b(?:EDGEWISE|CORE)_[A-Z0-9_]*[A-Z0-9]\b(?!_)/g) ?? [])
        .filter((name) => !known.has(name) && !placeholders.has(name) && !read(path).includes(`${name}_*`))
        .map((name) => `${path}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});

describe('the two languages', () => {
  const english = listed('docs/en/*.md');
  const chinese = listed('docs/zh/*.md');

  test('have the same pages', () => {
    expect(chinese.map((path) => path.replace('docs/zh/', 'docs/en/'))).toEqual(english);
  });

  test.each([
    ['README.md', 'README.zh-CN.md'],
    ...english.map((path) => [path, path.replace('docs/en/', 'docs/zh/')]),
  ])('have as many headings, and the same runnable examples: %s', (one = '', other = '') => {
    expect(headings(read(other)).length).toBe(headings(read(one)).length);
    expect(runnableBlocks(read(other))).toEqual(runnableBlocks(read(one)));
  });
});

test.each(['README.md', 'README.zh-CN.md'])('%s has at most 150 lines', (path) => {
  expect(read(path).trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});

test('the changes have an "Unreleased" section at the top', () => {
  expect(read('CHANGELOG.md').match(/^## .+$/m)?.[0]).toBe('## Unreleased');
});
