import { deflateSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { createDocumentReader, type DocumentReader } from './document-reader.ts';
import { type DocumentType, documentTypeOf, mediaTypes } from './parse/media-types.ts';
import { makeDocx, makePdf, makeZip } from './testing/make-files.ts';

// A process for each file, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const reader = createDocumentReader();
/** What is read, without what the index needs. */
const parse = async (bytes: Uint8Array, type: DocumentType, from: DocumentReader = reader) => {
  const { title, passages } = await from.read('acme', { bytes, type, withVectors: false });
  return { title, sections: passages.map(({ heading, text }) => ({ heading, text })) };
};
const docx: DocumentType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const bytes = (text: string) => new TextEncoder().encode(text);

test('Markdown by its headings, with code and tables as they are written', async () => {
  const text =
    '---\ntags: x\n---\n# Guide\n\nIntro.\n\n## Setup\n\n```sh\n# no heading\nnpm ci\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nSetext\n------\n\nLast *words*.';
  expect(await parse(bytes(text), 'text/markdown')).toEqual({
    title: 'Guide',
    sections: [
      { heading: 'Guide', text: 'Intro.' },
      {
        heading: 'Guide > Setup',
        text: '```sh\n# no heading\nnpm ci\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |',
      },
      { heading: 'Guide > Setext', text: 'Last *words*.' },
    ],
  });
});

test('HTML as a person reads it', async () => {
  const html =
    '<!doctype html><title>The &amp; title</title><style>p{}</style><nav>Menu</nav><h1>One</h1><p>First <b>bold</b> text.<p>Second.<h2>Two</h2><ul><li>a<li>b</ul><table><tr><td>x<td>y</table><script>alert(1)</script>';
  expect(await parse(bytes(html), 'text/html')).toEqual({
    title: 'The & title',
    sections: [
      { heading: 'One', text: 'First bold text.\nSecond.' },
      { heading: 'One > Two', text: 'a\nb\nx | y |' },
    ],
  });
});

test('a PDF page by page', async () => {
  const { sections } = await parse(makePdf(['Hello on one.', 'And (two).']), 'application/pdf');
  expect(sections).toEqual([
    { heading: 'page 1', text: 'Hello on one.' },
    { heading: 'page 2', text: 'And (two).' },
  ]);
});

test('a Word document by its headings', async () => {
  const { sections } = await parse(makeDocx(['# First', 'Some text.', '# Second', '中文 too.']), docx);
  expect(sections).toEqual([
    { heading: 'First', text: 'Some text.' },
    { heading: 'Second', text: '中文 too.' },
  ]);
});

test('text in UTF-16 by its mark', async () => {
  const utf16 = Buffer.from('\ufeffGrüße', 'utf16le');
  expect((await parse(utf16, 'text/plain')).sections).toEqual([{ heading: '', text: 'Grüße' }]);
});

describe('a hostile file', () => {
  const nested = `${'<div>'.repeat(20_000)}deep${'</div>'.repeat(20_000)}`;
  test('nested deeper than calls can be is read all the same', async () => {
    expect((await parse(bytes(nested), 'text/html')).sections).toEqual([{ heading: '', text: 'deep' }]);
  });

  test.each<[string, Uint8Array, DocumentType, RegExp]>([
    [
      'that unpacks without end',
      makeZip({ 'word/document.xml': Buffer.alloc(200 * 1024 * 1024) }),
      docx,
      /more than 128 MB/,
    ],
    ['with a broken directory', makeDocx(['x']).slice(0, -30), docx, /damaged/],
    ['that is another archive', makeZip({ 'a.txt': 'x' }), docx, /no Word document/],
    [
      'with too many pages',
      makePdf(Array.from({ length: 1001 }, () => 'x')),
      'application/pdf',
      /at most 1000/,
    ],
    ['cut in the middle', makePdf(['x']).slice(0, 200), 'application/pdf', /./],
  ])('%s is a clear error', async (_name, file, type, message) => {
    await expect(parse(file, type)).rejects.toMatchObject({
      code: 'document_unreadable',
      param: 'file',
      message: expect.stringMatching(message),
    });
  });

  test('whose directory claims no entries is refused, however much it holds', async () => {
    const zip = Buffer.from(makeZip({ 'word/document.xml': Buffer.alloc(200 * 1024 * 1024) }));
    const end = zip.length - 22;
    zip.writeUInt16LE(0, end + 8);
    zip.writeUInt16LE(0, end + 10);
    await expect(parse(zip, docx)).rejects.toMatchObject({
      message: expect.stringMatching(/more than 128 MB/),
    });
    const small = Buffer.from(makeDocx(['x']));
    small.writeUInt16LE(1, small.length - 22 + 10);
    await expect(parse(small, docx)).rejects.toMatchObject({ message: expect.stringMatching(/damaged/) });
  });

  test('that needs more memory than it may have ends its own process, and this one does not grow', async () => {
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 10);
    const bomb = makePdf(['x'], deflateSync(Buffer.alloc(400 * 1024 * 1024, ' ')));
    await expect(parse(bomb, 'application/pdf')).rejects.toMatchObject({ code: 'document_unreadable' });
    clearInterval(watch);
    expect(peak - before).toBeLessThan(100 * 1024 * 1024);
    expect((await parse(makePdf(['Still here.']), 'application/pdf')).sections).toHaveLength(1);
  });

  test('written to take minutes is given up at the deadline', async () => {
    const short = createDocumentReader({ timeoutMs: 4000 });
    const quadratic = bytes('*a_ '.repeat(100_000));
    await expect(parse(quadratic, 'text/markdown', short)).rejects.toMatchObject({
      message: 'It takes too long to read the file.',
    });
  });

  test('that takes too long is given up', async () => {
    const slow = createDocumentReader({ timeoutMs: 1 });
    await expect(parse(bytes('# x'), 'text/markdown', slow)).rejects.toMatchObject({
      message: 'It takes too long to read the file.',
    });
  });
});

test('a document is known by its name, then by what it was sent as', () => {
  for (const [type, endings] of Object.entries(mediaTypes))
    for (const ending of endings) expect(documentTypeOf(`A.B${ending.toUpperCase()}`, undefined)).toBe(type);
  expect(documentTypeOf('notes', 'text/html; charset=utf-8')).toBe('text/html');
  expect(documentTypeOf('notes.exe', 'application/octet-stream')).toBeUndefined();
});

test('two files are read at once, tenants take turns, and a crowd is sent away', async () => {
  const queued = createDocumentReader();
  const order: string[] = [];
  const read = (tenant: string) =>
    queued
      .read(tenant, { bytes: bytes(`# ${tenant}\n\nText.`), type: 'text/markdown', withVectors: false })
      .then(() => order.push(tenant));
  const crowd = Array.from({ length: 10 }, () => read('many'));
  const one = read('one');
  await expect(read('many')).rejects.toMatchObject({ code: 'core_overloaded', retryAfterMs: 10_000 });
  await Promise.all([...crowd, one]);
  expect(order).toHaveLength(11);
  expect(order.indexOf('one')).toBeLessThan(6);
});

test('passages come with their terms, and with vectors where they are asked for', async () => {
  const file = { bytes: bytes('# Lunch\n\nNoon.'), type: 'text/markdown' } as const;
  const { passages } = await reader.read('acme', { ...file, withVectors: true });
  expect(passages[0]?.terms).toEqual(['lunch', 'noon']);
  expect(passages[0]?.vector).toHaveLength(1024);
});
