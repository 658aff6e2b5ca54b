/** Models that nobody listed: those that the environment names, and an Ollama on its standard port. */
import * as v from 'valibot';
import { readBoundedJson } from '../../shared/stream/bounded-bytes.ts';
import type { Upstream } from '../providers/openai-compatible.ts';

export interface DiscoveredModel {
  name: string;
  provider: string;
  upstream: Upstream;
  upstreamModel: string;
  contextLength: number;
  /** Why it is there, for people to read. */
  reason: string;
  /** Stands before the file's models in `smart` and `fast`: somebody named it on purpose. */
  preferred: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const OLLAMA = 'http://127.0.0.1:11434';
const OLLAMA_WAIT_MS = 300;
const MAX_TAGS_BYTES = 4 * 1024 * 1024;
/** What most current models hold; the registry's file says it better for any model it lists. */
const USUAL_CONTEXT_LENGTH = 128_000;
/** Ollama cuts a prompt silently at this length by default. */
const OLLAMA_CONTEXT_LENGTH = 4096;
const AZURE_API_VERSION = '2024-10-21';

/** `OPENAI_MODEL` with `OPENAI_API_KEY` or `OPENAI_BASE_URL`, and `AZURE_OPENAI_*`. */
export function discoverFromEnvironment(env: Environment): DiscoveredModel[] {
  const found: DiscoveredModel[] = [];
  const { OPENAI_MODEL: model, OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseUrl } = env;
  if (model && (apiKey || baseUrl)) {
    found.push({
      name: model,
      provider: 'openai',
      upstream: {
        kind: 'openai',
        baseUrl: baseUrl || 'https://api.openai.com/v1',
        apiKey: apiKey || undefined,
      },
      upstreamModel: model,
      contextLength: USUAL_CONTEXT_LENGTH,
      reason: 'OPENAI_MODEL is set',
      preferred: true,
    });
  }
  const {
    AZURE_OPENAI_API_KEY: azureKey,
    AZURE_OPENAI_ENDPOINT: endpoint,
    AZURE_OPENAI_DEPLOYMENT: deployment,
  } = env;
  if (azureKey && endpoint && deployment) {
    found.push({
      name: deployment,
      provider: 'azure.ai.openai',
      upstream: {
        kind: 'azure',
        endpoint,
        apiKey: azureKey,
        apiVersion: env.OPENAI_API_VERSION || AZURE_API_VERSION,
      },
      upstreamModel: deployment,
      contextLength: USUAL_CONTEXT_LENGTH,
      reason: 'AZURE_OPENAI_DEPLOYMENT is set',
      preferred: false,
    });
  }
  return found;
}

const tagsSchema = v.object({
  models: v.array(
    v.object({ name: v.string(), details: v.optional(v.object({ family: v.optional(v.string()) })) }),
  ),
});
type OllamaModel = v.InferOutput<typeof tagsSchema>['models'][number];

/** Ollama lists embedding models among the others; they cannot chat. */
const canChat = ({ name, details }: OllamaModel) =>
  !/embed/i.test(name) && !/bert/i.test(details?.family ?? '');

/** The models of an Ollama on this machine; none when it does not answer at once. */
export async function discoverOllama(fetcher: typeof fetch): Promise<DiscoveredModel[]> {
  let tags: unknown;
  try {
    const response = await fetcher(`${OLLAMA}/api/tags`, { signal: AbortSignal.timeout(OLLAMA_WAIT_MS) });
    tags = await readBoundedJson(response, MAX_TAGS_BYTES);
  } catch {
    return [];
  }
  const parsed = v.safeParse(tagsSchema, tags);
  if (!parsed.success) return [];
  return parsed.output.models.filter(canChat).map(({ name }) => ({
    name,
    provider: 'ollama',
    upstream: { kind: 'openai', baseUrl: `${OLLAMA}/v1`, apiKey: undefined },
    upstreamModel: name,
    contextLength: OLLAMA_CONTEXT_LENGTH,
    reason: 'an Ollama answers on its standard port',
    preferred: false,
  }));
}
