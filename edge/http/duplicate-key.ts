/**
 * Finds duplicate names in a JSON object. `JSON.parse` silently keeps the last one, while another parser may keep the first
 * (RFC 8259, section 4), so that the validated value would not be the one that is used.
 */

/** @param json valid JSON @returns the path of the first duplicate name, such as `messages[0].role`. O(length). */
export function findDuplicateKey(json: string): string | undefined {
  // One pass over the characters; most texts have no duplicate name.
  const open: ({ names: Set<string>; name: string } | { index: number })[] = [];
  let expectsName = false;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case OPEN_OBJECT:
        open.push({ names: new Set(), name: '' });
        expectsName = true;
        break;
      case OPEN_LIST:
        open.push({ index: 0 });
        expectsName = false;
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop();
        expectsName = false;
        break;
      case COMMA: {
        const top = open.at(-1);
        expectsName = top !== undefined && 'names' in top;
        if (top && 'index' in top) top.index++;
        break;
      }
      case QUOTE: {
        const end = endOfString(json, at);
        const top = open.at(-1);
        if (expectsName && top && 'names' in top) {
          const text = json.slice(at, end + 1);
          top.name = text.includes('\\') ? JSON.parse(text) : text.slice(1, -1);
          if (top.names.has(top.name)) return toPath(open);
          top.names.add(top.name);
          expectsName = false;
        }
        at = end;
      }
    }
  }
  return undefined;
}

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const QUOTE = 0x22;

function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); ; end = json.indexOf('"', end + 1)) {
    if (end < 0) return json.length;
    let slashes = 0;
    while (json[end - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return end;
  }
}

function toPath(open: ({ name: string } | { index: number })[]): string {
  let path = '';
  for (const place of open) {
    if ('index' in place) path += `[${place.index}]`;
    else path += path === '' ? place.name : `.${place.name}`;
  }
  return path;
}
