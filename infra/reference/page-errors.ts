/** The error reference, from the one table of errors, with what causes each. */
import { type ErrorCode, errorRules } from '../../shared/errors.ts';
import { code, toPage, toTable } from './markdown.ts';
import { byStatus } from './openapi.ts';
import type { Language, Text } from './operation.ts';

const text = (en: string, zh: string): Text => ({ en, zh });

/** When each error occurs. The compiler finds a code without a text. */
const causes: Readonly<Record<ErrorCode, Text>> = {
  invalid_json: text(
    'The body is not JSON, or an object has the same name twice.',
    '请求体不是 JSON，或对象中有重复的字段名。',
  ),
  invalid_type: text('A field has another type than the API reference says.', '字段类型与接口参考不符。'),
  invalid_value: text(
    'A field, parameter or header is out of its bounds; `param` names it.',
    '字段、参数或请求头超出允许范围；`param` 指明是哪个。',
  ),
  missing_required_parameter: text(
    'A required field is missing; `param` names it.',
    '缺少必填字段；`param` 指明是哪个。',
  ),
  unsupported_value: text(
    'The value is valid for OpenAI but not supported here, or the feature is switched off.',
    '该值在 OpenAI 有效但此处不支持，或相应功能未启用。',
  ),
  context_length_exceeded: text(
    'The newest message alone is longer than the model’s context window.',
    '最新一条消息本身就超出模型的上下文窗口。',
  ),
  content_filter: text('The content filter refuses the prompt.', '内容过滤拒绝了该提示。'),
  upstream_rejected: text('The model’s service calls the request invalid.', '模型服务认为请求无效。'),
  missing_token: text('No `Authorization: Bearer` header.', '没有 `Authorization: Bearer` 请求头。'),
  invalid_token: text(
    'The token is malformed, wrongly signed, for another audience, or revoked.',
    '令牌格式错误、签名不符、受众不符或已吊销。',
  ),
  token_expired: text(
    'The token’s `exp` has passed. Renew it and send the request again.',
    '令牌已过 `exp`；续期后重新发送请求。',
  ),
  insufficient_scope: text(
    'The token lacks a scope, or is bound to another session.',
    '令牌缺少所需权限，或已限定在另一个会话。',
  ),
  origin_not_allowed: text(
    'A browser opens a WebSocket from an origin that is not in `EDGEWISE_CORS_ORIGINS`.',
    '浏览器从不在 `EDGEWISE_CORS_ORIGINS` 中的来源打开 WebSocket。',
  ),
  upgrade_required: text(
    'A WebSocket address receives an ordinary request.',
    '以普通请求访问了 WebSocket 地址。',
  ),
  model_not_found: text(
    'No model or alias has this name, or none offers the task.',
    '没有此名称的模型或别名，或没有模型提供该任务。',
  ),
  session_not_found: text(
    'The user has no such session, or it has expired.',
    '用户没有该会话，或会话已过期。',
  ),
  turn_not_found: text(
    'The session has no turn with this id, or none at all.',
    '会话中没有此 id 的轮次，或没有任何轮次。',
  ),
  response_not_found: text(
    'The response was never stored, was deleted or has expired, or is another user’s.',
    '该回答未曾保存、已删除或过期，或属于其他用户。',
  ),
  turn_expired: text(
    'The stream cannot be resumed any more. Read the session instead.',
    '该流已无法续读；请改为读取会话。',
  ),
  file_not_found: text('The user has no such file.', '用户没有该文件。'),
  file_in_use: text('A batch that has not ended reads the file.', '有未结束的批次正在读取该文件。'),
  document_not_found: text('There is no such document or passage for this user.', '该用户没有此文档或段落。'),
  document_unreadable: text(
    'The file is damaged, encrypted, empty or of another type than its name says.',
    '文件已损坏、已加密、为空，或与扩展名不符。',
  ),
  document_limit: text(
    'The user or the tenant has as many documents as allowed.',
    '用户或租户的文档数已达上限。',
  ),
  batch_not_found: text('The user has no such batch.', '用户没有该批次。'),
  key_not_found: text('The tenant has no such API key.', '租户没有该 API 密钥。'),
  route_not_found: text('No route has this path.', '没有此路径。'),
  method_not_allowed: text(
    'The path exists, with other methods; the header `Allow` lists them.',
    '路径存在但不支持该方法；`Allow` 头列出可用方法。',
  ),
  request_too_large: text(
    'The body is larger than `EDGEWISE_MAX_BODY_BYTES`, or the form than `EDGEWISE_MAX_UPLOAD_BYTES`.',
    '请求体超过 `EDGEWISE_MAX_BODY_BYTES`，或表单超过 `EDGEWISE_MAX_UPLOAD_BYTES`。',
  ),
  request_timeout: text(
    'The body did not arrive within `EDGEWISE_BODY_TIMEOUT_MS`.',
    '请求体未在 `EDGEWISE_BODY_TIMEOUT_MS` 内收完。',
  ),
  unsupported_media_type: text(
    'The `Content-Type`, or the type of an uploaded document, is not supported.',
    '不支持的 `Content-Type` 或上传文档类型。',
  ),
  cancelled: text(
    'The turn was stopped. Appears in logs and streams only.',
    '该轮被中止；只出现在日志和流中。',
  ),
  idempotency_mismatch: text(
    'The same `Idempotency-Key` was sent with another body.',
    '同一 `Idempotency-Key` 配了不同的请求体。',
  ),
  state_invalid: text(
    'The sealed conversation was changed, is another user’s, or its key was removed.',
    '封存的对话被改动、属于其他用户，或其密钥已移除。',
  ),
  state_too_large: text(
    'The sealed conversation exceeds `EDGEWISE_STATE_MAX_CHARS`.',
    '封存的对话超过 `EDGEWISE_STATE_MAX_CHARS`。',
  ),
  state_stale: text(
    'A newer turn of this conversation was answered. Send its state.',
    '该对话已有更新的一轮；请发送最新的状态。',
  ),
  state_busy: text(
    'Another request with the same state is being answered.',
    '带相同状态的另一请求正在处理。',
  ),
  session_conflict: text('Two edges changed the session at the same time.', '两个边缘节点同时修改了会话。'),
  session_busy: text('Too many turns of the session are queued.', '会话中排队的轮次过多。'),
  rate_limit_exceeded: text(
    'The plan’s limit of requests, tokens or simultaneous turns is reached. `retry-after-ms` says how long to wait.',
    '达到套餐的请求数、token 数或并发轮数上限；`retry-after-ms` 说明需等待多久。',
  ),
  insufficient_quota: text(
    'The plan’s budget of the day or month is used up.',
    '套餐当日或当月的预算已用完。',
  ),
  internal_error: text(
    'A fault of Edgewise. Report it with the `request_id`.',
    'Edgewise 自身的故障；请附上 `request_id` 报告。',
  ),
  upstream_auth_failed: text(
    'The key of the model is wrong or expired. The operator must act.',
    '模型密钥有误或已过期，需由运维处理。',
  ),
  upstream_error: text('The model’s service answers with an error.', '模型服务返回错误。'),
  upstream_cut: text(
    'The connection to the model breaks in the middle of the answer.',
    '回答途中与模型的连接中断。',
  ),
  upstream_invalid: text(
    'The model’s service sends something that is not its protocol.',
    '模型服务返回了不符合协议的内容。',
  ),
  upstream_too_large: text(
    'The model sent an event of more than 4 million characters, or an answer of more than 64 MiB (16 MiB at the edge).',
    '模型发来的单个事件超过 400 万字符，或整个回答超过 64 MiB（边缘为 16 MiB）。',
  ),
  upstream_unavailable: text('The model’s service does not accept connections.', '模型服务无法连接。'),
  upstream_rate_limited: text(
    'The model’s service limits the operator’s key.',
    '模型服务对运营方的密钥限流。',
  ),
  upstream_quota_exhausted: text(
    'The operator’s budget at the model’s service is used up.',
    '运营方在模型服务的额度已用完。',
  ),
  upstream_model_missing: text(
    'The models file names a model that its service does not have.',
    '模型文件中的模型在其服务上不存在。',
  ),
  upstream_overloaded: text('The model’s service reports that it is overloaded.', '模型服务报告过载。'),
  model_busy: text(
    'More calls than `EDGEWISE_MAX_WAITING` are queued for the model.',
    '等待该模型的调用超过 `EDGEWISE_MAX_WAITING`。',
  ),
  core_overloaded: text(
    'The core runs `EDGEWISE_MAX_GENERATIONS` generations.',
    '核心正在进行的生成数已达 `EDGEWISE_MAX_GENERATIONS`。',
  ),
  core_unavailable: text('No region of the core answers.', '核心的各区域均无响应。'),
  keys_unavailable: text(
    'The key set of `EDGEWISE_JWKS_URL`, or the core that knows the API keys, does not answer.',
    '`EDGEWISE_JWKS_URL` 的公钥集或保存 API 密钥的核心无响应。',
  ),
  filter_unavailable: text(
    'A content filter fails while `EDGEWISE_FILTER_FAILURE` is `closed`.',
    '`EDGEWISE_FILTER_FAILURE` 为 `closed` 时内容过滤出错。',
  ),
  limits_unavailable: text(
    'The store of the limits fails. Cached answers and history are still served.',
    '限额存储故障；缓存回答与历史仍可读取。',
  ),
  store_unavailable: text('The store of sessions or cached answers fails.', '会话或缓存的存储故障。'),
  database_unavailable: text('The core cannot reach its database.', '核心无法连接数据库。'),
  shutting_down: text('The core is being stopped.', '核心正在关闭。'),
  connect_timeout: text(
    'The model’s service does not answer within its connect timeout.',
    '模型服务在连接超时内没有应答。',
  ),
  first_token_timeout: text(
    'The model sends nothing within its first-token timeout.',
    '模型在首个 token 超时内没有输出。',
  ),
  idle_timeout: text('The model pauses longer than its idle timeout.', '模型停顿超过空闲超时。'),
  deadline_exceeded: text(
    'The turn takes longer than `EDGEWISE_TURN_TIMEOUT_MS` or the core’s limit.',
    '该轮超过 `EDGEWISE_TURN_TIMEOUT_MS` 或核心的时限。',
  ),
  generation_lost: text(
    'The core restarted during the answer. The text until then is kept.',
    '回答途中核心重启；此前的文本已保留。',
  ),
  answer_not_kept: text(
    'An answer to be prepared was incomplete, or another model gave it.',
    '预备的回答不完整，或由其他模型给出。',
  ),
  generation_not_found: text(
    'The edge resumes a generation that the core has forgotten. Internal.',
    '边缘续读的生成已被核心清除；属内部错误。',
  ),
};

const titles: Text = text('Errors', '错误');
const intros: Text = text(
  'Every error is OpenAI’s error object with a stable `code`. Decide by the code and the status, never by the message. The header `x-should-retry` says whether the same request may succeed later, and `retry-after-ms` when. After the first event of a stream an error is an event, and the stream still ends.',
  '所有错误都是 OpenAI 的错误对象，并带有稳定的 `code`。请依据代码和状态码判断，不要依据文字。响应头 `x-should-retry` 说明同样的请求稍后是否可能成功，`retry-after-ms` 说明何时重试。流的首个事件之后，错误会作为事件出现，流仍会正常结束。',
);
const heads: Record<Language, string[]> = {
  en: ['Code', 'Type', 'Retry', 'Message', 'Occurs when'],
  zh: ['代码', '类型', '可重试', '消息', '出现原因'],
};
const retry: Record<'yes' | 'no', Text> = { yes: text('yes', '是'), no: text('no', '否') };
const example = `\`\`\`json
{
  "error": {
    "message": "Missing required parameter: 'messages'.",
    "type": "invalid_request_error",
    "param": "messages",
    "code": "missing_required_parameter",
    "request_id": "3f0c9a52b1d34e0e8c6f4b7d2a915e60"
  }
}
\`\`\``;

export function toErrorsPage(language: Language): string {
  const parts = byStatus(Object.keys(errorRules) as ErrorCode[]).map(([status, codes]) => {
    const rows = codes.map((name) => {
      const { type, retryable, message } = errorRules[name];
      return [
        code(name),
        code(type),
        retry[retryable ? 'yes' : 'no'][language],
        message,
        causes[name][language],
      ];
    });
    return `## ${status}\n\n${toTable(heads[language], rows)}`;
  });
  return toPage(titles[language], [intros[language], example, ...parts], language);
}
