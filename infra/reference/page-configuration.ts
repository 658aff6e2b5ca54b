/** The configuration reference: names, types, defaults and bounds from the schemas of edge and core. */
import * as v from 'valibot';
import { coreEnvironmentSchema } from '../../core/env.ts';
import { bindingsSchema } from '../../edge/variables.ts';
import { projectRoot, readLocalSettings } from '../local/settings.ts';
import { coreTexts, edgeTexts, localTexts } from './configuration-texts.ts';
import { code, toPage, toTable } from './markdown.ts';
import type { Language, Text } from './operation.ts';

interface Variable {
  name: string;
  type: Text;
  default: string;
  text: Text;
}

const titles: Text = { en: 'Configuration', zh: '配置' };
const intros: Text = {
  en: 'Edgewise reads its configuration from the environment (Node) or from bindings (Workers) once, at start. A wrong or missing value stops the start, and the message names every variable at fault.',
  zh: 'Edgewise 只在启动时读取一次配置：Node 下来自环境变量，Workers 下来自绑定。值有误或缺失时不会启动，错误信息会列出所有出问题的变量。',
};
const heads: Record<Language, string[]> = {
  en: ['Variable', 'Type', 'Default', 'Effect'],
  zh: ['变量', '类型', '默认值', '作用'],
};
const types = {
  text: { en: 'text', zh: '文本' },
  url: { en: 'URL', zh: '网址' },
  number: { en: 'number', zh: '数值' },
  list: { en: 'list, with commas', zh: '列表，以逗号分隔' },
} as const satisfies Record<string, Text>;

const sections: { title: Text; intro: Text; variables: readonly Variable[] }[] = [
  {
    title: { en: 'Local commands', zh: '本地命令' },
    intro: { en: 'For `npm start` and the other commands.', zh: '用于 `npm start` 等命令。' },
    variables: localVariables(),
  },
  {
    title: { en: 'Edge', zh: '边缘' },
    intro: {
      en: 'Local start passes those that are set to the Worker; on Cloudflare they are variables and secrets.',
      zh: '本地启动时，已设置的变量会传给 Worker；在 Cloudflare 上以变量和机密的形式配置。',
    },
    variables: toVariables(bindingsSchema, edgeTexts),
  },
  {
    title: { en: 'Core', zh: '核心' },
    intro: {
      en: 'Keys of models are further variables: the models file names them.',
      zh: '各模型的密钥是另外的变量，由模型文件指定名称。',
    },
    variables: toVariables(coreEnvironmentSchema, coreTexts),
  },
];

export function toConfigurationPage(language: Language): string {
  const parts = sections.map(({ title, intro, variables }) => {
    const rows = variables.map(({ name, type, default: value, text }) => [
      code(name),
      type[language],
      value === '' ? '' : code(value),
      text[language],
    ]);
    return `## ${title[language]}\n\n${intro[language]}\n\n${toTable(heads[language], rows)}`;
  });
  return toPage(titles[language], [intros[language], ...parts], language);
}

function localVariables(): Variable[] {
  const { edgePort, corePort, dataDir } = readLocalSettings({});
  const defaults = { PORT: edgePort, CORE_PORT: corePort, EDGEWISE_DATA: fromRoot(dataDir) };
  return Object.entries(defaults).map(([name, value]) => ({
    name,
    type: typeof value === 'number' ? integerType(1, 65_535) : types.text,
    default: String(value),
    text: textOf(localTexts, name),
  }));
}

/** @throws Error when a variable has no text, or a text no variable */
function toVariables(schema: v.GenericSchema, texts: Readonly<Record<string, Text>>): Variable[] {
  const { entries } = schema as unknown as { entries: Record<string, v.GenericSchema> };
  const stale = Object.keys(texts).filter((name) => entries[name] === undefined);
  if (stale.length > 0) throw new Error(`configuration-texts.ts describes no variable: ${stale.join(', ')}`);
  return Object.entries(entries).map(([name, entry]) => ({
    name,
    type: typeOf(entry),
    default: defaultOf(entry),
    text: { ...textOf(texts, name), ...described(entry) },
  }));
}

function textOf(texts: Readonly<Record<string, Text>>, name: string): Text {
  const text = texts[name];
  if (!text) throw new Error(`configuration-texts.ts has no text for ${name}`);
  return text;
}

function described(entry: v.GenericSchema): Partial<Text> {
  const en = v.getDescription(entry);
  return en === undefined ? {} : { en };
}

function defaultOf(entry: v.GenericSchema): string {
  const value = 'default' in entry ? entry.default : '';
  return typeof value === 'string' ? fromRoot(value) : '';
}

/** Paths of this checkout as paths from its root. */
function fromRoot(value: string): string {
  return value.startsWith(`${projectRoot}/`) ? value.slice(projectRoot.length + 1) : value;
}

interface Step {
  kind: string;
  type: string;
  options?: readonly string[];
  requirement?: unknown;
  message?: unknown;
  wrapped?: Step;
  pipe?: readonly Step[];
}

/** The schema with everything that it wraps or pipes through. */
function stepsOf(step: Step): Step[] {
  const inner = [...(step.pipe ?? []), ...(step.wrapped ? [step.wrapped] : [])].filter((one) => one !== step);
  return [step, ...inner.flatMap((one) => (one.pipe || one.wrapped ? stepsOf(one) : [one]))];
}

function typeOf(entry: v.GenericSchema): Text {
  const steps = stepsOf(entry as unknown as Step);
  const parsed = v.safeParse(entry, undefined);
  if (Array.isArray(parsed.output)) return types.list;
  const options = steps.find(({ type }) => type === 'picklist')?.options;
  if (options) {
    const values = options.map(code).join(', ');
    return { en: values, zh: values };
  }
  const bound = (type: string) => steps.find((step) => step.type === type)?.requirement;
  if (parsed.success && typeof parsed.output === 'number')
    return steps.some(({ message }) => message === 'must be a whole number')
      ? integerType(bound('min_value'), bound('max_value'))
      : types.number;
  const isAddress = steps.some(({ message }) => typeof message === 'string' && /address/.test(message));
  return isAddress ? types.url : types.text;
}

function integerType(min: unknown, max: unknown): Text {
  const isBounded = typeof max === 'number' && max < Number.MAX_SAFE_INTEGER;
  const bounds = isBounded ? `${min}–${max}` : `≥ ${min}`;
  return { en: `whole number, ${bounds}`, zh: `整数，${bounds}` };
}
