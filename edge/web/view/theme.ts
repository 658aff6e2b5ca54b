import { effect } from '@preact/signals';
import { kept } from './kept.ts';

/** `auto` follows the system. */
export const theme = kept('edgewise.theme', 'auto');

effect(() => {
  const root = document.documentElement;
  if (theme.value === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme.value;
});
