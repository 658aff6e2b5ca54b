import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface MenuItem {
  label: string;
  hint?: string | undefined;
  checked?: boolean;
  danger?: boolean;
  run: () => void;
}

export interface MenuProps {
  label: string;
  /** What is chosen, where the button shows it. */
  value?: string | undefined;
  /** What stands in the button. */
  children: ComponentChildren;
  items: readonly (MenuItem | { group: string })[];
  class?: string;
  align?: 'start' | 'end';
  up?: boolean;
}

/** A button with a menu (WAI-ARIA's menu button): arrows move, Escape closes, the focus comes back. */
// long: one menu and its keyboard handling, most lines are markup
export function Menu({
  label,
  value,
  children,
  items,
  class: extra = '',
  align = 'start',
  up = false,
}: MenuProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  const entries = () => [...(root.current?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? [])];
  function close(): void {
    setOpen(false);
    button.current?.focus();
  }
  useLayoutEffect(() => {
    if (!open) return;
    const checked = root.current?.querySelector<HTMLElement>('[aria-checked="true"]');
    (checked ?? entries()[0])?.focus();
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);

  function onKey(event: KeyboardEvent): void {
    if (!open) return;
    const list = entries();
    const at = list.indexOf(document.activeElement as HTMLElement);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: list.length - 1,
    };
    const to = steps[event.key];
    if (to !== undefined) list[(to + list.length) % list.length]?.focus();
    else if (event.key === 'Escape') close();
    else {
      if (event.key === 'Tab') setOpen(false);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class={`menu ${extra}`} ref={root} onKeyDown={onKey}>
      <button
        type="button"
        class="menu-button"
        ref={button}
        title={label}
        aria-label={value === undefined ? label : `${label}: ${value}`}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        {children}
      </button>
      {open && (
        <div class={`menu-list ${align} ${up ? 'up' : ''}`} id={id} role="menu" aria-label={label}>
          {items.map((item) =>
            'group' in item ? (
              <div class="menu-group" role="presentation" key={item.group}>
                {item.group}
              </div>
            ) : (
              <button
                type="button"
                key={item.label}
                class={item.danger ? 'danger' : ''}
                {...(item.checked === undefined
                  ? { role: 'menuitem' as const }
                  : { role: 'menuitemradio' as const, 'aria-checked': item.checked })}
                tabIndex={-1}
                onClick={() => {
                  close();
                  item.run();
                }}
              >
                <span>{item.label}</span>
                {item.hint && <small>{item.hint}</small>}
              </button>
            ),
          )}
        </div>
      )}
    </div>
  );
}
