/** Masks personal data and secrets in prompts and answers. Keeps no state between them. */
import type { RequestContext } from '../../shared/protocol/request-context.ts';
import type { Plugin } from '../plugins/plugin.ts';
import { JsonScanner } from './json-scanner.ts';
import { createMaskingStream } from './masking-stream.ts';
import type { PersonalDataLabel } from './personal-data.ts';
import { PersonalDataScanner } from './personal-data-scanner.ts';
import { createTextPlugin } from './text-plugin.ts';

export interface PersonalDataFilterOptions extends Pick<Plugin, 'onFailure' | 'limitMs'> {
  /** The kinds of personal data that are masked for a caller. */
  labelsFor: (context: RequestContext) => ReadonlySet<PersonalDataLabel>;
  /** Whether arguments of tool calls are masked; default false, since tools need the real values. */
  toolArguments?: boolean;
  /** The text that replaces a finding; default its label in brackets. */
  maskOf?: (label: string) => string;
}

export function createPersonalDataFilter(options: PersonalDataFilterOptions): Plugin {
  const { labelsFor, onFailure, limitMs, toolArguments = false, maskOf = (label) => `[${label}]` } = options;
  return createTextPlugin({
    name: 'personal-data',
    onFailure,
    limitMs,
    toolArguments,
    edition: labelsFor,
    open(context) {
      const labels = labelsFor(context);
      if (labels.size === 0) return undefined;
      return (form) => {
        const scanner = new PersonalDataScanner(labels);
        if (form === 'text') return createMaskingStream(scanner, maskOf);
        return createMaskingStream(new JsonScanner(scanner), (label) =>
          JSON.stringify(maskOf(label)).slice(1, -1),
        );
      };
    },
  });
}
