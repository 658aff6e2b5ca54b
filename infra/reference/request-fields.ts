/**
 * What the fields of requests mean, by component. It stands here and not in the schemas, since those are part of
 * the Worker, which has no use for the texts. A test finds a field without a text.
 */
import type { Text } from './operation.ts';

const text = (en: string, zh: string): Text => ({ en, zh });

const model = text('The model or alias; `auto` lets the server choose.', '模型或别名；`auto` 由服务器选择。');
const regenerate = text(
  'Answer a question again: that of the newest turn (`true`), or of the turn with this id. Without new messages.',
  '重新回答某个问题：`true` 指最新一轮，也可填轮次 id；此时不带新消息。',
);
const parent = text(
  'The message that the new ones follow, which can make a branch; `null` for the beginning.',
  '新消息所跟随的消息，可由此产生分支；`null` 表示从头开始。',
);
const knowledge = text(
  'Whether to search the documents and cite them; the default is set per tenant.',
  '是否检索文档并给出引用；默认值按租户配置。',
);
const stream = text('Whether to stream the answer.', '是否以流的方式返回回答。');
const temperature = text('How varied the answer is.', '回答的随机程度。');
const topP = text(
  'Nucleus sampling: only tokens with this total probability.',
  '核采样：只取累计概率在此范围内的 token。',
);
const tools = text(
  'The functions that the model may call. The client runs them.',
  '模型可以调用的函数，由客户端执行。',
);
const toolChoice = text(
  'Whether the model must call a function, and which.',
  '是否必须调用函数，以及调用哪个。',
);
const user = text(
  'Passed to the model. It is no authority: the user is that of the token.',
  '传给模型；不作为身份依据，用户以令牌为准。',
);

export const requestFields: Readonly<Record<string, Readonly<Record<string, Text>>>> = {
  ChatCompletionRequest: {
    model,
    messages: text(
      'The conversation, or in a session only the new messages.',
      '整段对话；在会话中只需放新消息。',
    ),
    stream,
    stream_options: text(
      '`include_usage`: whether the last chunk reports the usage.',
      '`include_usage`：最后一块是否报告用量。',
    ),
    session_id: text(
      'The session of the turn: 1 to 128 letters, digits, `.`, `_`, `:` or `-`.',
      '所属会话：1 到 128 个字母、数字、`.`、`_`、`:` 或 `-`。',
    ),
    parent_id: parent,
    regenerate,
    knowledge,
    n: text('Only 1.', '只能为 1。'),
    temperature,
    top_p: topP,
    presence_penalty: text('Makes new subjects more likely.', '提高谈及新主题的可能性。'),
    frequency_penalty: text('Makes repetition less likely.', '降低重复的可能性。'),
    max_tokens: text('Most tokens of the answer.', '回答的最大 token 数。'),
    max_completion_tokens: text(
      'Most tokens of the answer, with its reasoning.',
      '回答连同推理的最大 token 数。',
    ),
    stop: text('Texts at which the answer ends; at most 4.', '遇到这些文本时结束回答；至多 4 个。'),
    tools,
    tool_choice: toolChoice,
    response_format: text(
      'The form of the answer: `text`, `json_object` or `json_schema`.',
      '回答的格式：`text`、`json_object` 或 `json_schema`。',
    ),
    user,
  },
  ResponsesRequest: {
    model,
    input: text('The question as a text, or a list of items.', '以文本或列表形式给出的问题。'),
    parent_id: parent,
    regenerate,
    instructions: text('The system prompt of this response.', '本次回答的系统提示。'),
    conversation: text('The session, as an id or an object with an `id`.', '会话：id，或带 `id` 的对象。'),
    previous_response_id: text(
      'The response to continue after; not with `conversation`.',
      '接在哪个回答之后；不能与 `conversation` 同用。',
    ),
    stream,
    background: text('Whether to return at once while the turn runs.', '是否立即返回，让该轮在后台进行。'),
    store: text(
      '`false` keeps nothing; not with a conversation or `background`.',
      '`false` 表示不保存；不能与对话或 `background` 同用。',
    ),
    metadata: text('Returned with the response.', '随回答一并返回。'),
    temperature,
    top_p: topP,
    max_output_tokens: text(
      'Most tokens of the answer, with its reasoning.',
      '回答连同推理的最大 token 数。',
    ),
    parallel_tool_calls: text(
      'Whether several functions may be called at once.',
      '是否允许同时调用多个函数。',
    ),
    tools,
    tool_choice: toolChoice,
    text: text('The form of the answer, in `format`.', '回答的格式，见其中的 `format`。'),
    reasoning: text('How much the model reasons, in `effort`.', '推理的强度，见其中的 `effort`。'),
    knowledge,
    user,
  },
  UiChatRequest: {
    id: text('The session.', '会话。'),
    messages: text('The UI messages; the last one is new.', 'UI 消息列表，最后一条是新的。'),
    trigger: text('`regenerate-message` answers again.', '`regenerate-message` 表示重新回答。'),
    messageId: text('The answer to replace; the newest by default.', '要替换的回答；默认为最新一条。'),
    model,
    knowledge,
  },
  StopRequest: {
    turn_id: text('The turn to stop; the running one by default.', '要中止的轮次；默认为正在进行的一轮。'),
  },
  ForgetRequest: { turn_id: text('The turn whose content is removed.', '要移除内容的轮次。') },
  TokenExchange: {
    user: text('The id of the user in your app.', '用户在你的应用中的 id。'),
    scopes: text('Scopes of the token; the key must have them.', '令牌的权限，密钥须已拥有。'),
    session_id: text('Restricts the token to one session.', '把令牌限定在一个会话内。'),
    ttl_seconds: text('How long the token is valid.', '令牌的有效时长（秒）。'),
    refresh: text('Whether to return a refresh token.', '是否返回刷新令牌。'),
  },
  TokenRefresh: { refresh_token: text('The refresh token of the last answer.', '上次返回的刷新令牌。') },
  NewApiKey: {
    name: text('A name, to recognise the key.', '便于辨认密钥的名称。'),
    plan: text('The plan whose limits apply.', '适用其限额的套餐。'),
    scopes: text(
      'What the key allows besides chat: `admin`, `batch`.',
      '除对话外允许的权限：`admin`、`batch`。',
    ),
    expires_at: text('Unix time in seconds; never by default.', 'Unix 时间，以秒计；默认永不过期。'),
  },
  PreparedAnswerRequest: {
    question: text('The question, as users ask it.', '问题，措辞与用户提问一致。'),
    system: text('The system prompt that the app sends with it.', '应用随之发送的系统提示。'),
    paraphrases: text(
      'Other wordings with the same meaning, as evidence for the semantic cache.',
      '含义相同的其他措辞，供语义缓存作依据。',
    ),
    ttl_seconds: text('How long the answer is cached; a day by default.', '缓存时长（秒）；默认一天。'),
  },
  FeedbackRequest: {
    turn_id: text('The id of the turn, or of its answer.', '轮次的 id，或其回答的 id。'),
    rating: text('The rating.', '评价。'),
    text: text('A comment.', '说明文字。'),
  },
  ConversationChange: { title: text('The title.', '标题。') },
  MemoryChange: {
    recall_across_conversations: text(
      'Whether answers may use what was said in other conversations.',
      '回答是否可以使用其他对话中说过的内容。',
    ),
  },
  NewBatch: {
    input_file_id: text('A file of `POST /v1/files`.', '通过 `POST /v1/files` 上传的文件。'),
    endpoint: text('What each line asks for.', '每行请求的接口。'),
    completion_window: text(
      'From `1h` to `168h`; the batch expires after it.',
      '从 `1h` 到 `168h`；超时后批次过期。',
    ),
    metadata: text('At most 16 entries, returned with the batch.', '至多 16 项，随批次返回。'),
  },
  EmbeddingsRequest: {
    model: text('A model that offers embeddings.', '提供向量的模型。'),
    input: text('A text, or at most 2048.', '一段文本，或至多 2048 段。'),
    encoding_format: text('Numbers or base64.', '数值或 base64。'),
    dimensions: text('The length of each vector, where the model can choose.', '向量长度，模型支持时可选。'),
    user,
  },
};
