/** Valibot schemas as the components of the OpenAPI document, with their fields described in both languages. */
import { toJsonSchemaDefs } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import type { JsonSchema, Text } from './operation.ts';
import { requestFields } from './request-fields.ts';

/** @param schemas By their names; one that is part of another becomes a reference. */
export function toComponents(schemas: Readonly<Record<string, v.GenericSchema>>): Record<string, JsonSchema> {
  const components = toJsonSchemaDefs(schemas, {
    target: 'draft-2020-12',
    // Checks that no keyword expresses, such as a parsed date, are left out.
    errorMode: 'ignore',
    // The last schema of a pipe is the precise one; what follows it only cleans up.
    typeMode: 'output',
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
    overrideSchema: ({ valibotSchema, jsonSchema }) =>
      valibotSchema.type === 'loose_object' ? { ...jsonSchema, additionalProperties: true } : undefined,
    overrideAction: ({ valibotAction, jsonSchema }) => withChinese(valibotAction, jsonSchema),
  }) as unknown as Record<string, JsonSchema>;
  for (const [name, fields] of Object.entries(requestFields)) {
    for (const [field, text] of Object.entries(fields)) describe(components[name], name, field, text);
  }
  return components;
}

function withChinese<Schema extends object>(action: unknown, jsonSchema: Schema): Schema | undefined {
  const { type, metadata } = action as { type?: string; metadata?: { zh?: unknown } };
  return type === 'metadata' && typeof metadata?.zh === 'string'
    ? { ...jsonSchema, 'x-zh': metadata.zh }
    : undefined;
}

/** @throws Error when the component has no such field, so that no text outlives its field */
function describe(component: JsonSchema | undefined, name: string, field: string, { en, zh }: Text): void {
  const schema = component?.properties?.[field];
  if (!schema) throw new Error(`request-fields.ts describes ${name}.${field}, which does not exist`);
  Object.assign(schema, { description: en, 'x-zh': zh });
}

/** The schema without its Chinese texts, which are for our own pages. */
export function inEnglish<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === 'x-zh' ? undefined : inner)));
}
