import { type Signal, signal } from '@preact/signals';

/** The key of the question that is being edited. */
export const editing: Signal<string | undefined> = signal(undefined);
