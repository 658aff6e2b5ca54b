/**
 * What a question says, as far as rules can see it: its kind, its words in canonical order, and the things that
 * make two questions different however much their wording is alike. Pure; English and Chinese. O(length).
 */
import { emptyWords, fillers, questionKinds, synonyms } from './wording.ts';

export interface QuestionForm {
  language: 'en' | 'zh' | 'other';
  /** Words that carry meaning, each by its canonical name, in order. */
  words: string[];
  /** `words` as one text: questions with the same one are worded alike. */
  canonical: string;
  features: QuestionFeatures;
  /** The text without case, width and punctuation, for similarity. */
  surface: string;
}

/** What must be the same for one answer to serve both, each sorted unless its order matters. */
export interface QuestionFeatures {
  kind: string[];
  negation: string[];
  number: string[];
  unit: string[];
  date: string[];
  name: string[];
  /** In order: what is said before and after words of direction. */
  direction: string[];
  scope: string[];
  /** Words of which the opposite is as usual. */
  side: string[];
  modality: string[];
}

const cjk = /[\u3400-\u9fff]/;
const otherScripts = /[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]/;

const negations =
  /\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|except|unless|instead of|rather than|avoid|prevent|stop|lack|fail(?:s|ed)? to|un(?!i|d|l|t)\w{4,}|im(?:possible|proper)\w*|in(?:valid|correct|active|eligible|complete)\w*|ill?egal\w*|dis(?:able|agree|approve|connect|continue|like)\w*|non-?\w{3,}|\w{2,}less)\b|\w+n't\b|不|没|无(?!论)|非(?!常|洲)|未|别(?!人|墅|的|名)|勿|莫(?!斯)|除了|除外|以外|免(?!费)|避免|防止|禁止|拒绝|停止|取消|失败|缺/g;
const numbers =
  /(?<![a-z])\d+(?:[.,:/]\d+)*(?:st|nd|rd|th)?(?:%|k|m|b)?(?![a-z])|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|half|third|quarter|double|triple|twice|thrice|once|second|fourth|fifth|single|pair|both|percent)\b|[零一二两三四五六七八九十百千万亿半双倍第]+/g;
const units =
  /(?:[$€£¥￥]|\b(?:usd|eur|gbp|cny|jpy|rmb|dollars?|euros?|pounds?|yen|yuan|cents?|kg|kilograms?|kilos?|grams?|mg|lbs?|ounces?|oz|tons?|tonnes?|km|kilomet(?:er|re)s?|met(?:er|re)s?|cm|mm|miles?|inch(?:es)?|feet|foot|ft|yards?|lit(?:er|re)s?|ml|gallons?|pints?|cups?|tablespoons?|teaspoons?|celsius|fahrenheit|kelvin|seconds?|minutes?|hours?|days?|weeks?|months?|quarters?|years?|decades?|gb|mb|tb|kb|gigabytes?|megabytes?|bits?|bytes?|hz|mhz|ghz|watts?|kw|volts?|amps?|calories|joules?|mph|kmh|acres?|hectares?)\b|公斤|千克|克|斤|吨|公里|千米|米|厘米|毫米|英里|英寸|英尺|里|升|毫升|加仑|摄氏|华氏|度|秒|分钟|小时|天|周|星期|个月|月|季度|年|元|块|美元|欧元|日元|英镑|人民币|港币|角|分|平方|立方|亩|公顷|兆|瓦|伏)/g;
const dates =
  /\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekends?|weekdays?|january|february|march|april|june|july|august|september|october|november|december|today|tonight|yesterday|tomorrow|now|currently|morning|noon|afternoon|evening|night|midnight|spring|summer|autumn|fall|winter|christmas|easter|thanksgiving|new year|(?:last|next|this|past|previous|coming) (?:week|month|year|quarter|season|time)|century|(?<=\d ?)(?:am|pm|bc|ad)|ago|before|after|since|until|during|early|late|old|new|newest|latest|oldest|earliest)\b|周[一二三四五六日天末]|星期[一二三四五六日天]|今天|明天|昨天|后天|前天|今年|明年|去年|前年|后年|上周|下周|本周|上个?月|下个?月|本月|早上|上午|中午|下午|晚上|夜里|凌晨|春节|中秋|国庆|元旦|端午|清明|春天|夏天|秋天|冬天|春季|夏季|秋季|冬季|世纪|年代|之前|之后|以前|以后|前|后|现在|目前|最近|古代|现代|旧|新|最新|工作日|节假日/g;
const directions =
  /\b(?:from|to|into|onto|out of|towards?|than|versus|vs|against|between)\b|→|->|从|到|至|往|向|给|把|被|让|比|由|换成|转成|转换为|转换成|转为|翻译成|译成|变成|改成|替/g;
const scopes =
  /\b(?:all|every|each|any|some|many|most|few|fewer|several|only|just|exclusively|first|last|final|next|previous|main|major|whole|entire|part|partial|partially|fully|completely|always|usually|often|sometimes|rarely|once|again|still|already|yet|else|other|another|same|different|similar|own|personal|public|private|global|local|international|domestic|foreign|general|specific|especially|at least|at most|more|less|minimum|maximum|average|total|per|either|both|alone|together|free|paid|basic|advanced|premium|standard|professional|beginner|beginners|expert|adults?|children|kids?|teenagers?|men|women|male|female|babies|students?|seniors?|dogs?|cats?|home|business|commercial)\b|所有|全部|每个|每|任何|某些|一些|部分|大部分|多数|少数|只|仅|唯一|首次|首|最后|最终|最|第一|主要|整个|总是|经常|有时|偶尔|很少|再次|还|已经|其他|另一个|相同|不同|类似|个人|公共|公开|私人|私有|国际|国内|国外|海外|本地|通用|特定|至少|至多|最多|最少|更多|更少|更|平均|总|合计|免费|付费|收费|基础|高级|专业|标准|初学者|新手|专家|成人|大人|小孩|孩子|儿童|婴儿|男|女|学生|老人|老年人|企业|家庭|商用|家用|单独|一起|也|都/g;
/** Pairs of opposites: a question with one is never answered by one with the other, or with none. */
const sides =
  /\b(?:increas\w*|decreas\w*|rais\w*|lower\w*|reduc\w*|gain\w*|los\w+|grow\w*|shrink\w*|enabl\w*|disabl\w*|activat\w*|deactivat\w*|open\w*|clos\w*|start\w*|end\w*|stop\w*|begin\w*|add\w*|remov\w*|delet\w*|insert\w*|creat\w*|destroy\w*|install\w*|uninstall\w*|upload\w*|download\w*|import\w*|export\w*|encrypt\w*|decrypt\w*|encod\w*|decod\w*|compress\w*|decompress\w*|extract\w*|lock\w*|unlock\w*|connect\w*|disconnect\w*|subscrib\w*|unsubscrib\w*|follow\w*|unfollow\w*|block\w*|unblock\w*|mut\w+|unmut\w*|log ?in|log ?out|log ?on|log ?off|sign ?in|sign ?out|sign ?up|login|logout|buy\w*|purchas\w*|sell\w*|borrow\w*|lend\w*|rent\w*|send\w*|receiv\w*|give|giv\w+|take|tak\w+|push\w*|pull\w*|win\w*|win|accept\w*|reject\w*|refus\w*|approv\w*|deny|den\w+|allow\w*|forbid\w*|prohibit\w*|ban\w*|hot\w*|cold\w*|warm\w*|cool\w*|heat\w*|freez\w*|thaw\w*|high\w*|low|long\w*|short\w*|tall\w*|big\w*|small\w*|large\w*|fast\w*|slow\w*|quick\w*|good|better|best|bad|worse|worst|pros?|cons?|advantages?|disadvantages?|benefits?|drawbacks?|risks?|strengths?|weakness\w*|causes?|effects?|symptoms?|treatments?|prevent\w*|cur\w+|minimum|maximum|minimi[sz]\w*|maximi[sz]\w*|input\w*|output\w*|internal\w*|external\w*|inside|outside|north\w*|south\w*|east\w*|west\w*|left|right|upper|lower|top|bottom|front|back|forward\w*|backward\w*|ascending|descending|expand\w*|collapse\w*|zoom in|zoom out|turn on|turn off|switch on|switch off|upgrad\w*|downgrad\w*|updat\w*|renew\w*|cancel\w*|refund\w*|return\w*|exchang\w*|debit|credit|deposit\w*|withdraw\w*|incom\w*|expens\w*|profit\w*|asset\w*|liabilit\w*|employee\w*|employer\w*|teacher\w*|student\w*|parent\w*|child\w*|husband|wife|brother|sister|male|female|host\w*|guest\w*|client\w*|server\w*|sender|recipient|singular|plural|past|future|before|after|plus|minus|multipl\w*|divid\w*|show|hid\w+|hide|true|false|positive|negative|legal|illegal|safe|dangerous|healthy|unhealthy|raw|cooked|dry|wet|full|empty|strong|weak|hard|soft|light|dark|cheap\w*|expensive|easy|difficult|rich|poor|young|old|first|last|day|night|arrival|departure|arriv\w*|depart\w*|leav\w*|enter\w*|exit\w*|pass\w*|fail\w*|attack\w*|defen\w*|question|answer|ask|repl\w*)\b|增加|减少|提高|降低|增|减|升|降|涨|跌|启用|禁用|激活|停用|打开|关闭|开启|关|开|开始|结束|停止|添加|移除|删除|恢复|新增|创建|销毁|安装|卸载|上传|下载|导入|导出|加密|解密|编码|解码|压缩|解压|锁定|解锁|连接|断开|绑定|解绑|订阅|退订|关注|取关|拉黑|静音|登录|登出|退出|注册|注销|购买|买|出售|卖|借入|借出|借|贷|租|出租|求租|发送|接收|发|收|给|拿|赢|输|接受|拒绝|同意|反对|批准|驳回|允许|禁止|热|冷|暖|凉|加热|冷却|冷冻|解冻|高|低|长|短|大|小|快|慢|好|坏|优点|缺点|好处|坏处|优势|劣势|利|弊|风险|收益|原因|结果|后果|症状|治疗|预防|最小|最大|最多|最少|输入|输出|内部|外部|里面|外面|南|北|东|西|左|右|上|下|前|后|升序|降序|展开|收起|放大|缩小|升级|降级|更新|续费|续订|取消|退款|退货|换货|借方|贷方|存款|取款|存|取|转入|转出|收入|支出|利润|亏损|资产|负债|员工|雇主|老师|学生|父母|子女|丈夫|妻子|哥哥|姐姐|弟弟|妹妹|爷爷|奶奶|公|母|客户端|服务器|服务端|发件人|收件人|买家|卖家|过去|未来|将来|加|乘|除|显示|隐藏|真|假|正|负|合法|违法|安全|危险|生|熟|干|湿|满|空|强|弱|硬|软|亮|暗|深|浅|贵|便宜|难|易|容易|穷|富|年轻|老|白天|夜间|到达|出发|进入|离开|通过|不及格|进攻|防守|提问|回答|个人|企业|国内|国外|增肥|减肥|拆|装|穿|脱|种植|收获/g;
const modalities =
  /\b(?:should|must|have to|has to|may|might|can|could|would|will|shall|allowed|required|possible|legal(?:ly)?|safe(?:ly)?|able|need(?:ed|s)?|want|supposed|recommended|mandatory|optional)\b|应该|应当|必须|一定|需要|可能|可以|能否|能不能|是否|会不会|要不要|允许|建议|可选/g;

const canonicalOf = new Map(
  synonyms.flatMap((group) => {
    const [first = '', ...others] = group.split(' ');
    return [first, ...others].flatMap((word): [string, string][] => [
      [word, stem(first)],
      [stem(word), stem(first)],
    ]);
  }),
);
/** Chinese words are found before the text is cut into others. */
const knownChinese = new RegExp(
  [...canonicalOf.keys()]
    .filter((word) => cjk.test(word) && word.length > 1)
    .sort((one, other) => other.length - one.length)
    .join('|'),
  'g',
);
let segmenter: Intl.Segmenter | undefined;

export function questionForm(text: string): QuestionForm {
  const plain = unabbreviated(text.normalize('NFKC'));
  const lower = plain.toLowerCase();
  const language = otherScripts.test(lower)
    ? 'other'
    : cjk.test(lower)
      ? 'zh'
      : /[a-z]/.test(lower)
        ? 'en'
        : 'other';
  let bare = lower;
  for (const filler of fillers) bare = bare.replace(filler, ' ');
  bare = bare.replace(/\s+/g, ' ');
  const kinds: string[] = [];
  for (const [kind, wording] of questionKinds) {
    bare = bare.replace(wording, () => {
      kinds.push(kind.trim());
      return ' ';
    });
  }
  const words = [...new Set(kinds), ...canonicalWords(bare, language)];
  return {
    language,
    words,
    canonical: `${language}:${words.join(' ')}`,
    features: {
      kind: sorted(kinds),
      negation: sorted(found(bare, negations)),
      number: sorted(found(bare, numbers).map(plainNumber)),
      unit: sorted(found(bare, units).map(stem)),
      date: sorted(found(bare, dates)),
      name: namesOf(plain),
      direction: directionOf(bare, language),
      scope: sorted(found(bare, scopes)),
      side: sorted(found(bare, sides).map(stem)),
      modality: sorted(found(bare, modalities)),
    },
    surface: bare.replace(/[^\p{L}\p{N}]+/gu, ' ').trim(),
  };
}

/** How alike the wording is: Dice's coefficient over pairs of neighbouring characters, in [0, 1]. O(length). */
export function wordingSimilarity(one: QuestionForm, other: QuestionForm): number {
  const left = pairsOf(one.surface);
  const right = pairsOf(other.surface);
  let common = 0;
  for (const [pair, count] of left) common += Math.min(count, right.get(pair) ?? 0);
  const size = (pairs: Map<string, number>) => [...pairs.values()].reduce((sum, count) => sum + count, 0);
  const all = size(left) + size(right);
  return all === 0 ? Number(one.surface === other.surface) : (2 * common) / all;
}

function pairsOf(text: string): Map<string, number> {
  const pairs = new Map<string, number>();
  for (let index = 0; index + 1 < text.length; index++) {
    const pair = text.slice(index, index + 2);
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  return pairs;
}

function unabbreviated(text: string): string {
  return text
    .replace(/[’‘]/g, "'")
    .replace(/\b(what|who|where|when|how|why|that|it|there|here)'s\b/gi, '$1 is')
    .replace(/\b(what|who|where|when|how|why)'re\b/gi, '$1 are')
    .replace(/\bcan't\b/gi, 'cannot')
    .replace(/\bwon't\b/gi, 'will not')
    .replace(/n't\b/gi, ' not')
    .replace(/\bi'm\b/gi, 'i am')
    .replace(/'ll\b/gi, ' will')
    .replace(/'ve\b/gi, ' have');
}

function canonicalWords(bare: string, language: QuestionForm['language']): string[] {
  const ofOrder = bare.replace(
    /\b([\p{L}\p{N}-]+) of (?:the |a |an |my |your |our )?([\p{L}\p{N}-]+)/gu,
    '$2 $1',
  );
  const plain = ofOrder
    .replace(/'s\b/g, ' ')
    .replace(
      /\b([\p{L}\p{N}+#-]+) (?:and|or|versus|vs) ([\p{L}\p{N}+#-]+)/gu,
      (_, one: string, other: string) => sorted([one, other]).join(' '),
    )
    .replace(
      /([\p{L}\p{N}]+?)(?:和|与|跟|或)([\p{L}\p{N}]+?)(?=的?(?:区别|差别|差异|不同|关系|比较|对比))/gu,
      (_, one: string, other: string) => `${sorted([one, other]).join(' ')} `,
    )
    .replace(knownChinese, (word) => ` ${canonicalOf.get(word)} `);
  const pieces = plain.split(/[^\p{L}\p{N}+#.%$€£¥°/-]+/u);
  const words = pieces.flatMap((piece) =>
    cjk.test(piece) ? segments(piece) : [piece.replace(/[./-]+$/, '')],
  );
  const canonical: string[] = [];
  for (const word of words) {
    // In English, what points somewhere may be all that is different; in a question of Chinese it is a word.
    if (word === '' || (emptyWords.has(word) && !keptIn(language, word))) continue;
    const known = canonicalOf.get(word) ?? canonicalOf.get(stem(word)) ?? stem(word);
    canonical.push(known);
  }
  return canonical;
}

const pointing: ReadonlySet<string> = new Set(
  'to for in on at with about as by into can could will would'.split(' '),
);
const pointingChinese: ReadonlySet<string> = new Set('在 对 用 会 能 可以 要 想 去 来 我 你'.split(' '));

function keptIn(language: QuestionForm['language'], word: string): boolean {
  return language === 'en' ? pointing.has(word) : pointingChinese.has(word);
}

function segments(text: string): string[] {
  segmenter ??= new Intl.Segmenter('zh', { granularity: 'word' });
  return [...segmenter.segment(text)].map(({ segment }) => segment.trim());
}

/** A light stemmer: plurals and the commonest endings; never of short words. */
function stem(word: string): string {
  if (word.length < 4 || cjk.test(word) || /\d/.test(word)) return word;
  const plural = word.endsWith('ies')
    ? `${word.slice(0, -3)}y`
    : /(?:ss|us|is)$/.test(word)
      ? word
      : word.replace(/s$/, '');
  const root = plural.replace(/(?:ing|ed)$/, '');
  if (root === plural || root.length < 3 || !/[aeiouy]/.test(root)) return plural.replace(/e$/, '');
  return root.replace(/([b-df-hj-np-tv-z])\1$/, '$1').replace(/e$/, '');
}

/** Names: quoted text, code and identifiers, words with capitals within a sentence, Latin words among Chinese. */
function namesOf(text: string): string[] {
  // Who writes all in capitals marks no names by them.
  const plain = /[a-z]/.test(text) || cjk.test(text) ? text : text.toLowerCase();
  const names = found(
    plain,
    /"[^"]+"|“[^”]+”|「[^」]+」|《[^》]+》|`[^`]+`|https?:\/\/\S+|\b[\w.+-]+@[\w.-]+\b|\b\w+(?:[._/:]\w+)+\b|\b[A-Za-z]+\d+\w*\b|\b[A-Z]{2,}\w*\b|\b[a-z]+[A-Z]\w*\b|[A-Za-z]\+\+|[A-Za-z]#/g,
  );
  const isChinese = cjk.test(plain);
  for (const { 0: word, index } of plain.matchAll(/[A-Za-z][A-Za-z'-]*/g)) {
    const startsSentence = /(?:^|[.!?]\s*)$/.test(plain.slice(0, index).trimEnd());
    const isCapital = /^[A-Z]/.test(word) && word !== 'I' && !startsSentence;
    if (isCapital || isChinese) names.push(word);
  }
  return sorted([...new Set(names.map((name) => name.toLowerCase().replace(/'s$/, '')))]);
}

/** With a word of direction in it, the order of a question's words says who does what to whom. */
function directionOf(bare: string, language: QuestionForm['language']): string[] {
  const pointers = found(bare, directions);
  if (pointers.length === 0) return [];
  const symmetric =
    /\b(?:between|and|or|versus|vs)\b|和|与|跟|或/.test(bare) &&
    !/\b(?:from|to|into|than)\b|从|到|比|把/.test(bare);
  const order = canonicalWords(bare, language);
  return symmetric ? sorted(order) : order;
}

function plainNumber(text: string): string {
  return text.replace(/(\d),(\d{3})/g, '$1$2').replace(/^(\d+)(?:st|nd|rd|th)$/, '$1');
}

function found(text: string, pattern: RegExp): string[] {
  return text.match(pattern) ?? [];
}

function sorted(list: string[]): string[] {
  return [...list].sort();
}
