/** Whether a key press belongs to an input method, which takes Enter for itself (229 on browsers that say no more). */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** Enter as a person means it: to be done. */
export function isDone(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && !event.shiftKey && !isComposing(event);
}
