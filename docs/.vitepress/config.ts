import { defineConfig } from 'vitepress';

const guides = [
  ['streaming-and-resume', 'Streaming and resume', '流式与断线续传'],
  ['sessions-and-memory', 'Sessions and memory', '会话与记忆'],
  ['caching', 'Caching', '缓存'],
  ['routing-and-ladders', 'Routing and ladders', '路由与降级阶梯'],
  ['limits-and-budgets', 'Limits and budgets', '限流与预算'],
  ['keys-and-users', 'Keys and users', '密钥与用户'],
  ['documents', 'Documents', '文档'],
  ['batches', 'Batches', '批处理'],
  ['filters', 'Filters', '内容过滤'],
  ['chat-page', 'Chat page', '聊天页面'],
  ['operating', 'Operating', '运维'],
  ['deploying', 'Deploying', '部署'],
] as const;
const pages = [
  ['getting-started', 'Getting started', '快速开始'],
  ['concepts', 'Concepts', '基本概念'],
  ['architecture', 'Architecture', '架构'],
  ['performance', 'Performance', '性能'],
  ['migration', 'Migration', '迁移说明'],
] as const;
const reference = [
  ['configuration', 'Configuration', '配置'],
  ['errors', 'Errors', '错误'],
  ['api', 'API', 'API'],
  ['metrics', 'Metrics', '指标'],
  ['client', 'TypeScript client', 'TypeScript 客户端'],
] as const;

function sidebar(locale: 'en' | 'zh') {
  const items = (folder: string, list: readonly (readonly [string, string, string])[]) =>
    list.map(([file, en, zh]) => ({ text: locale === 'en' ? en : zh, link: `/${locale}/${folder}${file}` }));
  return [
    { text: 'Edgewise', items: items('', pages) },
    { text: locale === 'en' ? 'Guides' : '指南', items: items('guides/', guides) },
    { text: locale === 'en' ? 'Reference' : '参考', items: items('reference/', reference) },
    { text: locale === 'en' ? 'Decisions' : '决策记录（英文）', link: '/decisions/README' },
  ];
}

/** The theme's own words. */
const chinese = {
  outline: { label: '本页内容' },
  docFooter: { prev: '上一页', next: '下一页' },
  returnToTopLabel: '返回顶部',
  sidebarMenuLabel: '目录',
  darkModeSwitchLabel: '外观',
  langMenuLabel: '语言',
};

export default defineConfig({
  title: 'Edgewise',
  // Links to files outside docs/ work in the repository; `infra/docs/docs.test.ts` checks all of them.
  ignoreDeadLinks: [/CONTRIBUTING/, /\/infra\//],
  locales: {
    en: { label: 'English', lang: 'en', themeConfig: { sidebar: sidebar('en') } },
    zh: { label: '中文', lang: 'zh-CN', themeConfig: { sidebar: sidebar('zh'), ...chinese } },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        locales: {
          zh: {
            translations: {
              button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
              modal: {
                noResultsText: '没有结果',
                resetButtonTitle: '清空',
                footer: { selectText: '选择', navigateText: '切换', closeText: '关闭' },
              },
            },
          },
        },
      },
    },
  },
});
