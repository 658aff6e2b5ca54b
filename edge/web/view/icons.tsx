/** The page's icons: strokes of one width on a grid of 24. They say nothing by themselves; their button has a label. */
import type { JSX } from 'preact';

const paths = {
  plus: 'M12 5v14M5 12h14',
  send: 'M12 19V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h10v10H9zM15 9V5H5v10h4',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  again: 'M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6',
  pencil: 'M4 20l1-4L16.5 4.5l3 3L8 19zM14 7l3 3',
  up: 'M7 11v9H4v-9zM7 11l4-7c1.5 0 2.5 1 2 3l-.7 3H19a1.6 1.6 0 0 1 1.6 2l-1.5 6.4A2 2 0 0 1 17.2 20H7',
  down: 'M17 13V4h3v9zM17 13l-4 7c-1.5 0-2.5-1-2-3l.7-3H5a1.6 1.6 0 0 1-1.6-2l1.5-6.4A2 2 0 0 1 6.8 4H17',
  left: 'M14.5 6l-6 6 6 6',
  right: 'M9.5 6l6 6-6 6',
  arrowDown: 'M12 5v14M6 13l6 6 6-6',
  chevron: 'M6.5 9.5l5.5 5.5 5.5-5.5',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.3 15.3L20 20',
  menu: 'M4 7h16M4 12h16M4 17h10',
  panel: 'M4 5h16v14H4zM9.5 5v14',
  dots: 'M6 12h.01M12 12h.01M18 12h.01',
  trash: 'M5 7h14M10 4h4M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  clip: 'M19 11.5l-7.3 7.3a4.5 4.5 0 0 1-6.4-6.4l7.8-7.8a3 3 0 0 1 4.3 4.3l-7.7 7.7a1.5 1.5 0 0 1-2.2-2.2l6.8-6.7',
  mic: 'M12 14.5a3 3 0 0 0 3-3V7a3 3 0 0 0-6 0v4.5a3 3 0 0 0 3 3zM6 11.5a6 6 0 0 0 12 0M12 17.5V20',
  speaker: 'M4 10v4h3.5L12 18V6L7.5 10zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11',
  book: 'M5 5.5A2.5 2.5 0 0 1 7.5 4H19v13H7.5A2.5 2.5 0 0 0 5 19.5zM5 19.5A2 2 0 0 0 7 20h12v-3',
  gear: 'M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  exit: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

export function Mark({ size = 28 }: { size?: number }): JSX.Element {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" class="mark-ground" />
      <path d="M22.5 9.5H13a4 4 0 0 0-4 4v9" class="mark-edge" />
      <circle cx="19.5" cy="19.5" r="3.6" class="mark-core" />
    </svg>
  );
}
