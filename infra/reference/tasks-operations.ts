/** What models do besides chat, at OpenAI's addresses. The upstream's answer is passed through. */
import * as v from 'valibot';
import { embeddingsRequestSchema } from '../../core/embeddings/embeddings.ts';
import { described, type Operation } from './operation.ts';

const model = described(v.string(), 'A model or alias that offers this task.', '提供此任务的模型或别名。');

export const tasksSchemas = {
  EmbeddingsRequest: embeddingsRequestSchema,
  Embeddings: v.object({
    object: v.literal('list'),
    data: v.array(
      v.object({
        object: v.literal('embedding'),
        index: v.number(),
        embedding: described(
          v.union([v.array(v.number()), v.string()]),
          'Numbers, or 32-bit floats (little-endian) in base64.',
          '数值数组，或 base64 编码的 32 位小端浮点数。',
        ),
      }),
    ),
    model: v.string(),
    usage: v.object({ prompt_tokens: v.number(), total_tokens: v.number() }),
  }),
  TranscriptionRequest: v.looseObject({
    file: described(v.string(), 'The sound file.', '音频文件。'),
    model,
  }),
  SpeechRequest: v.looseObject({
    model,
    input: described(v.string(), 'The text to speak.', '要朗读的文本。'),
  }),
  ModerationRequest: v.looseObject({
    model,
    input: described(v.unknown(), 'What to classify.', '要分类的内容。'),
  }),
  ImageRequest: v.looseObject({ model, prompt: described(v.string(), 'What to draw.', '要绘制的内容。') }),
  UpstreamObject: v.looseObject({}),
};

const errors = [
  'missing_required_parameter',
  'model_not_found',
  'rate_limit_exceeded',
  'insufficient_quota',
] as const;
const upstream = {
  status: 200,
  schema: 'UpstreamObject',
  text: { en: 'The upstream’s object.', zh: '上游返回的对象。' },
} as const;

export const tasksOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/embeddings',
    id: 'createEmbeddings',
    area: 'tasks',
    summary: { en: 'Turn texts into vectors', zh: '把文本转换为向量' },
    body: { schema: 'EmbeddingsRequest', example: { model: 'text-embedding-3-small', input: 'edge' } },
    answers: [
      { status: 200, schema: 'Embeddings', text: { en: 'One vector per text.', zh: '每段文本一个向量。' } },
    ],
    errors,
  },
  {
    method: 'post',
    path: '/v1/audio/transcriptions',
    id: 'createTranscription',
    area: 'tasks',
    summary: { en: 'Turn speech into text', zh: '把语音转换为文本' },
    body: { schema: 'TranscriptionRequest', form: { model: 'whisper-1', file: '@speech.mp3' } },
    answers: [upstream],
    errors,
  },
  {
    method: 'post',
    path: '/v1/audio/speech',
    id: 'createSpeech',
    area: 'tasks',
    summary: { en: 'Turn text into speech', zh: '把文本转换为语音' },
    body: { schema: 'SpeechRequest', example: { model: 'tts-1', voice: 'alloy', input: 'Hello' } },
    answers: [
      {
        status: 200,
        type: 'audio/*',
        text: { en: 'The sound, streamed as it comes.', zh: '音频，边生成边返回。' },
      },
    ],
    errors: [...errors, 'content_filter'],
  },
  {
    method: 'post',
    path: '/v1/moderations',
    id: 'createModeration',
    area: 'tasks',
    summary: { en: 'Classify content', zh: '对内容进行审核分类' },
    body: { schema: 'ModerationRequest', example: { model: 'omni-moderation-latest', input: 'Hello' } },
    answers: [upstream],
    errors,
  },
  {
    method: 'post',
    path: '/v1/images/generations',
    id: 'createImage',
    area: 'tasks',
    summary: { en: 'Create an image', zh: '生成图像' },
    body: { schema: 'ImageRequest', example: { model: 'gpt-image-1', prompt: 'A lighthouse' } },
    answers: [upstream],
    errors: [...errors, 'content_filter'],
  },
];
