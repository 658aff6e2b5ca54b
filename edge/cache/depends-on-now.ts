/**
 * Patterns of English and Chinese questions whose answer depends on time or place. They match too often rather than too
 * seldom; an operator can still prepare such a question with its own time to live.
 */
const signs: readonly [reason: string, sign: RegExp][] = [
  [
    'time',
    /\b(?:today|tonight|yesterday|tomorrow|now(?:adays)?|current(?:ly)?|at the moment|latest|newest|recent(?:ly)?|this (?:morning|afternoon|evening|week|weekend|month|quarter|year|season)|(?:last|next) (?:night|week|month|quarter|year)|so far|up to date|what time|what (?:day|date) is|how old is|is (?:it|he|she) still)\b|今天|今日|今晚|昨天|昨日|明天|明日|后天|现在|目前|当前|眼下|最新|最近|近期|刚刚|这周|本周|这个月|本月|今年|去年|明年|上周|下周|上个月|下个月|几点|几号|星期几|多大年纪|截至/i,
  ],
  [
    'news',
    /\b(?:news|headlines?|weather|forecast|temperature outside|stock price|share price|exchange rate|price of|score|who won|who is (?:the )?(?:president|prime minister|ceo|champion)|open now|opening hours|traffic|in stock)\b|天气|气温|新闻|头条|股价|汇率|油价|金价|房价|比分|谁赢了|现任|总统是谁|营业时间|路况|有货/i,
  ],
  [
    'place',
    /\b(?:near(?:by| me| here)|around here|where am i|my (?:location|city|country|area|timezone)|in this (?:city|country|area)|closest|nearest|local)\b|附近|这里|这儿|本地|当地|离我|我在哪|我的位置|最近的/i,
  ],
];

/** @returns on what the answer depends: `time`, `news` or `place` */
export function dependsOnNow(question: string): string | undefined {
  return signs.find(([, sign]) => sign.test(question))?.[0];
}
