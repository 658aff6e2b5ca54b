/** Tokens -> HTML that may be shown: what a model says is never trusted. */
import DOMPurify from 'dompurify';
import type { Token } from 'marked';
import { marked } from './split-blocks.ts';

marked.use({
  renderer: {
    // An image would be a request to anywhere; its address may be followed by whoever wants to.
    image({ href, text }) {
      return `<a href="${attribute(href)}" class="image-link">${attribute(text || href)}</a>`;
    },
    // Markdown's own HTML is shown as it was written.
    html({ text }) {
      return attribute(text);
    },
  },
});

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.nodeName !== 'A') return;
  node.setAttribute('target', '_blank');
  node.setAttribute('rel', 'noopener noreferrer nofollow');
});

const allowed = {
  ALLOWED_TAGS: [
    ...['a', 'b', 'blockquote', 'br', 'code', 'dd', 'del', 'div', 'dl', 'dt', 'em', 'h1', 'h2', 'h3', 'h4'],
    ...['h5', 'h6', 'hr', 'i', 'input', 'kbd', 'li', 'ol', 'p', 'pre', 's', 'span', 'strong', 'sub', 'sup'],
    ...['table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
  ],
  ALLOWED_ATTR: ['href', 'class', 'start', 'align', 'type', 'checked', 'disabled'],
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
  ALLOW_DATA_ATTR: false,
};

/** As `innerHTML` takes it where the page's policy demands trusted types. */
export function toSafeHtml(token: Token): string {
  return sanitize(marked.parser([token]));
}

export function sanitize(html: string): string {
  return DOMPurify.sanitize(html, { ...allowed, RETURN_TRUSTED_TYPE: true }) as unknown as string;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function attribute(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
