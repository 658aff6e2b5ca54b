import { withKnowledge } from '../../shared/wire/chat-schema.ts';
import type { TurnPlugins } from './turn-plugins.ts';

/** For tenants that answer from documents unless a prompt says otherwise: those for `auto` ask for them. */
export function withKnowledgeDefault(plugins: TurnPlugins): TurnPlugins {
  return {
    ...plugins,
    async onPrompt(request, caller) {
      const prompt = await plugins.onPrompt(request, caller);
      return prompt.model === 'auto' && !prompt.recall ? { ...prompt, ...withKnowledge(true) } : prompt;
    },
  };
}
