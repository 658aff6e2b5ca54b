/**
 * What models do besides chat, by OpenAI's addresses. The edge hands such a call over as it is, `POST /v1/tasks/TASK`,
 * with the client's own body, JSON or `multipart/form-data`; the core chooses the target. The answer is the upstream's,
 * streamed where it streams.
 */
export const taskPaths = {
  embeddings: '/embeddings',
  transcriptions: '/audio/transcriptions',
  speech: '/audio/speech',
  moderations: '/moderations',
  images: '/images/generations',
} as const;

export type Task = keyof typeof taskPaths;

export const tasks = Object.keys(taskPaths) as Task[];

/** On the core's answer: how many tokens it used, where the upstream says so. */
export const TOKENS_HEADER = 'x-edgewise-tokens';
