/** The messages of a conversation as a tree: an edited question and an answer given again are branches of it. */

/** A message as `GET /v1/sessions/:id` tells it. */
export interface StoredMessage {
  position: number;
  id: string;
  parent_id: string | null;
  turn_id: string;
  /** Unix seconds. */
  created_at: number;
  role: string;
  content?: string | ContentPart[] | null;
  annotations?: Annotation[];
  [field: string]: unknown;
}

export interface ContentPart {
  type: string;
  text?: string;
  image_url?: { url: string } | string;
  [field: string]: unknown;
}

/** Where a part of an answer comes from, as Chat Completions (nested) or Responses (flat) say it. */
export interface Annotation extends Partial<Citation> {
  type: string;
  url_citation?: Citation;
}

export interface Citation {
  url: string;
  title?: string;
  start_index?: number;
  end_index?: number;
}

/** One place in the tree: a stored message, a question on its way, or an answer that is being given. */
export interface TreeNode {
  id: string;
  parentId: string | null;
  /** Those with a higher number are newer. */
  order: number;
  isQuestion: boolean;
}

export interface PathStep<Node extends TreeNode> {
  node: Node;
  /** The alternatives at this place, oldest first; the node is one of them. */
  siblings: readonly string[];
}

/**
 * The messages that are shown: from the oldest that is known down to a leaf, by the reader's choices and else towards
 * the newest message.
 * @param chosen Parent's id (empty for none) -> the id of the child that the reader has chosen.
 */
export function visiblePath<Node extends TreeNode>(
  nodes: readonly Node[],
  chosen: ReadonlyMap<string, string>,
): PathStep<Node>[] {
  const known = new Set(nodes.map(({ id }) => id));
  const children = new Map<string, Node[]>();
  const byId = new Map<string, Node>();
  let newest: Node | undefined;
  for (const node of nodes) {
    byId.set(node.id, node);
    if (!newest || node.order > newest.order) newest = node;
    // What hangs on a message that has not been read yet begins the tree.
    const parent = node.parentId !== null && known.has(node.parentId) ? node.parentId : rootOf(node.parentId);
    const list = children.get(parent);
    if (list) list.push(node);
    else children.set(parent, [node]);
  }
  if (!newest) return [];
  const towardsNewest = new Set<string>();
  let top = newest;
  for (let at: Node | undefined = newest; at; at = at.parentId === null ? undefined : byId.get(at.parentId)) {
    towardsNewest.add(at.id);
    top = at;
  }
  const path: PathStep<Node>[] = [];
  let list = children.get(rootOf(top.parentId));
  while (list && list.length > 0) {
    const key = list[0]?.parentId ?? '';
    const node: Node | undefined =
      list.find(({ id }) => id === chosen.get(key)) ??
      list.find(({ id }) => towardsNewest.has(id)) ??
      list.reduce((best, next) => (next.order > best.order ? next : best));
    if (!node) break;
    const siblings = list.filter(({ isQuestion }) => isQuestion === node.isQuestion);
    path.push({
      node,
      siblings: siblings.sort((a, b) => a.order - b.order).map(({ id }) => id),
    });
    list = children.get(node.id);
  }
  return path;
}

function rootOf(parentId: string | null): string {
  return `above:${parentId ?? ''}`;
}

export function textOf(content: StoredMessage['content']): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => (part.type === 'text' && part.text ? part.text : '')).join('');
}

export function imagesOf(content: StoredMessage['content']): string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap(({ type, image_url: image }) => {
    const url = typeof image === 'string' ? image : image?.url;
    return type === 'image_url' && url ? [url] : [];
  });
}

export interface Source {
  url: string;
  title: string;
  /** How the text refers to it: `[1]`. */
  mark: string;
}

/** Each source of an answer once, in the order of the text. */
export function sourcesOf(annotations: readonly Annotation[], text: string): Source[] {
  const sources = new Map<string, Source>();
  for (const annotation of annotations) {
    const { url, title, start_index: start = 0, end_index: end = 0 } = annotation.url_citation ?? annotation;
    if (url === undefined || sources.has(url)) continue;
    const mark = text.slice(start, end).replace(/^\[(.*)\]$/, '$1');
    sources.set(url, { url, title: title || url, mark: mark || String(sources.size + 1) });
  }
  return [...sources.values()];
}
