/**
 * The words of English and Chinese questions that `question-form.ts` uses. Data: the build writes it as a static asset
 * (`infra/local/build.ts`), since only tenants with the semantic cache need it.
 */
import type { QuestionWords } from './question-form.ts';

/** The words of each feature of a question. */
const features = {
  negation:
    /\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|except|unless|instead of|rather than|avoid|prevent|stop|lack|fail(?:s|ed)? to|un(?!i|d|l|t)\w{4,}|im(?:possible|proper)\w*|in(?:valid|correct|active|eligible|complete)\w*|ill?egal\w*|dis(?:able|agree|approve|connect|continue|like)\w*|non-?\w{3,}|\w{2,}less)\b|\w+n't\b|不|没|无(?!论)|非(?!常|洲)|未|别(?!人|墅|的|名)|勿|莫(?!斯)|除了|除外|以外|免(?!费)|避免|防止|禁止|拒绝|停止|取消|失败|缺/g,
  number:
    /(?<![a-z])\d+(?:[.,:/]\d+)*(?:st|nd|rd|th)?(?:%|k|m|b)?(?![a-z])|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|half|third|quarter|double|triple|twice|thrice|once|second|fourth|fifth|single|pair|both|percent)\b|[零一二两三四五六七八九十百千万亿半双倍第]+/g,
  unit: /(?:[$€£¥￥]|\b(?:usd|eur|gbp|cny|jpy|rmb|dollars?|euros?|pounds?|yen|yuan|cents?|kg|kilograms?|kilos?|grams?|mg|lbs?|ounces?|oz|tons?|tonnes?|km|kilomet(?:er|re)s?|met(?:er|re)s?|cm|mm|miles?|inch(?:es)?|feet|foot|ft|yards?|lit(?:er|re)s?|ml|gallons?|pints?|cups?|tablespoons?|teaspoons?|celsius|fahrenheit|kelvin|seconds?|minutes?|hours?|days?|weeks?|months?|quarters?|years?|decades?|gb|mb|tb|kb|gigabytes?|megabytes?|bits?|bytes?|hz|mhz|ghz|watts?|kw|volts?|amps?|calories|joules?|mph|kmh|acres?|hectares?)\b|公斤|千克|克|斤|吨|公里|千米|米|厘米|毫米|英里|英寸|英尺|里|升|毫升|加仑|摄氏|华氏|度|秒|分钟|小时|天|周|星期|个月|月|季度|年|元|块|美元|欧元|日元|英镑|人民币|港币|角|分|平方|立方|亩|公顷|兆|瓦|伏)/g,
  date: /\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekends?|weekdays?|january|february|march|april|june|july|august|september|october|november|december|today|tonight|yesterday|tomorrow|now|currently|morning|noon|afternoon|evening|night|midnight|spring|summer|autumn|fall|winter|christmas|easter|thanksgiving|new year|(?:last|next|this|past|previous|coming) (?:week|month|year|quarter|season|time)|century|(?<=\d ?)(?:am|pm|bc|ad)|ago|before|after|since|until|during|early|late|old|new|newest|latest|oldest|earliest)\b|周[一二三四五六日天末]|星期[一二三四五六日天]|今天|明天|昨天|后天|前天|今年|明年|去年|前年|后年|上周|下周|本周|上个?月|下个?月|本月|早上|上午|中午|下午|晚上|夜里|凌晨|春节|中秋|国庆|元旦|端午|清明|春天|夏天|秋天|冬天|春季|夏季|秋季|冬季|世纪|年代|之前|之后|以前|以后|前|后|现在|目前|最近|古代|现代|旧|新|最新|工作日|节假日/g,
  direction:
    /\b(?:from|to|into|onto|out of|towards?|than|versus|vs|against|between)\b|→|->|从|到|至|往|向|给|把|被|让|比|由|换成|转成|转换为|转换成|转为|翻译成|译成|变成|改成|替/g,
  scope:
    /\b(?:all|every|each|any|some|many|most|few|fewer|several|only|just|exclusively|first|last|final|next|previous|main|major|whole|entire|part|partial|partially|fully|completely|always|usually|often|sometimes|rarely|once|again|still|already|yet|else|other|another|same|different|similar|own|personal|public|private|global|local|international|domestic|foreign|general|specific|especially|at least|at most|more|less|minimum|maximum|average|total|per|either|both|alone|together|free|paid|basic|advanced|premium|standard|professional|beginner|beginners|expert|adults?|children|kids?|teenagers?|men|women|male|female|babies|students?|seniors?|dogs?|cats?|home|business|commercial)\b|所有|全部|每个|每|任何|某些|一些|部分|大部分|多数|少数|只|仅|唯一|首次|首|最后|最终|最|第一|主要|整个|总是|经常|有时|偶尔|很少|再次|还|已经|其他|另一个|相同|不同|类似|个人|公共|公开|私人|私有|国际|国内|国外|海外|本地|通用|特定|至少|至多|最多|最少|更多|更少|更|平均|总|合计|免费|付费|收费|基础|高级|专业|标准|初学者|新手|专家|成人|大人|小孩|孩子|儿童|婴儿|男|女|学生|老人|老年人|企业|家庭|商用|家用|单独|一起|也|都/g,
  /** Pairs of opposites: two questions match only with the same words of these. */
  side: /\b(?:increas\w*|decreas\w*|rais\w*|lower\w*|reduc\w*|gain\w*|los\w+|grow\w*|shrink\w*|enabl\w*|disabl\w*|activat\w*|deactivat\w*|open\w*|clos\w*|start\w*|end\w*|stop\w*|begin\w*|add\w*|remov\w*|delet\w*|insert\w*|creat\w*|destroy\w*|install\w*|uninstall\w*|upload\w*|download\w*|import\w*|export\w*|encrypt\w*|decrypt\w*|encod\w*|decod\w*|compress\w*|decompress\w*|extract\w*|lock\w*|unlock\w*|connect\w*|disconnect\w*|subscrib\w*|unsubscrib\w*|follow\w*|unfollow\w*|block\w*|unblock\w*|mut\w+|unmut\w*|log ?in|log ?out|log ?on|log ?off|sign ?in|sign ?out|sign ?up|login|logout|buy\w*|purchas\w*|sell\w*|borrow\w*|lend\w*|rent\w*|send\w*|receiv\w*|give|giv\w+|take|tak\w+|push\w*|pull\w*|win\w*|win|accept\w*|reject\w*|refus\w*|approv\w*|deny|den\w+|allow\w*|forbid\w*|prohibit\w*|ban\w*|hot\w*|cold\w*|warm\w*|cool\w*|heat\w*|freez\w*|thaw\w*|high\w*|low|long\w*|short\w*|tall\w*|big\w*|small\w*|large\w*|fast\w*|slow\w*|quick\w*|good|better|best|bad|worse|worst|pros?|cons?|advantages?|disadvantages?|benefits?|drawbacks?|risks?|strengths?|weakness\w*|causes?|effects?|symptoms?|treatments?|prevent\w*|cur\w+|minimum|maximum|minimi[sz]\w*|maximi[sz]\w*|input\w*|output\w*|internal\w*|external\w*|inside|outside|north\w*|south\w*|east\w*|west\w*|left|right|upper|lower|top|bottom|front|back|forward\w*|backward\w*|ascending|descending|expand\w*|collapse\w*|zoom in|zoom out|turn on|turn off|switch on|switch off|upgrad\w*|downgrad\w*|updat\w*|renew\w*|cancel\w*|refund\w*|return\w*|exchang\w*|debit|credit|deposit\w*|withdraw\w*|incom\w*|expens\w*|profit\w*|asset\w*|liabilit\w*|employee\w*|employer\w*|teacher\w*|student\w*|parent\w*|child\w*|husband|wife|brother|sister|male|female|host\w*|guest\w*|client\w*|server\w*|sender|recipient|singular|plural|past|future|before|after|plus|minus|multipl\w*|divid\w*|show|hid\w+|hide|true|false|positive|negative|legal|illegal|safe|dangerous|healthy|unhealthy|raw|cooked|dry|wet|full|empty|strong|weak|hard|soft|light|dark|cheap\w*|expensive|easy|difficult|rich|poor|young|old|first|last|day|night|arrival|departure|arriv\w*|depart\w*|leav\w*|enter\w*|exit\w*|pass\w*|fail\w*|attack\w*|defen\w*|question|answer|ask|repl\w*)\b|增加|减少|提高|降低|增|减|升|降|涨|跌|启用|禁用|激活|停用|打开|关闭|开启|关|开|开始|结束|停止|添加|移除|删除|恢复|新增|创建|销毁|安装|卸载|上传|下载|导入|导出|加密|解密|编码|解码|压缩|解压|锁定|解锁|连接|断开|绑定|解绑|订阅|退订|关注|取关|拉黑|静音|登录|登出|退出|注册|注销|购买|买|出售|卖|借入|借出|借|贷|租|出租|求租|发送|接收|发|收|给|拿|赢|输|接受|拒绝|同意|反对|批准|驳回|允许|禁止|热|冷|暖|凉|加热|冷却|冷冻|解冻|高|低|长|短|大|小|快|慢|好|坏|优点|缺点|好处|坏处|优势|劣势|利|弊|风险|收益|原因|结果|后果|症状|治疗|预防|最小|最大|最多|最少|输入|输出|内部|外部|里面|外面|南|北|东|西|左|右|上|下|前|后|升序|降序|展开|收起|放大|缩小|升级|降级|更新|续费|续订|取消|退款|退货|换货|借方|贷方|存款|取款|存|取|转入|转出|收入|支出|利润|亏损|资产|负债|员工|雇主|老师|学生|父母|子女|丈夫|妻子|哥哥|姐姐|弟弟|妹妹|爷爷|奶奶|公|母|客户端|服务器|服务端|发件人|收件人|买家|卖家|过去|未来|将来|加|乘|除|显示|隐藏|真|假|正|负|合法|违法|安全|危险|生|熟|干|湿|满|空|强|弱|硬|软|亮|暗|深|浅|贵|便宜|难|易|容易|穷|富|年轻|老|白天|夜间|到达|出发|进入|离开|通过|不及格|进攻|防守|提问|回答|个人|企业|国内|国外|增肥|减肥|拆|装|穿|脱|种植|收获/g,
  modality:
    /\b(?:should|must|have to|has to|may|might|can|could|would|will|shall|allowed|required|possible|legal(?:ly)?|safe(?:ly)?|able|need(?:ed|s)?|want|supposed|recommended|mandatory|optional)\b|应该|应当|必须|一定|需要|可能|可以|能否|能不能|是否|会不会|要不要|允许|建议|可选/g,
} as const satisfies Record<string, RegExp>;

/** Openings and endings of a question without content of their own; the longest first. */
const fillers: readonly RegExp[] = [
  /\b(?:hi|hello|hey|dear assistant|good (?:morning|afternoon|evening))\b[\s,!.]*/g,
  /\b(?:could|can|would|will) you (?:please |kindly )?(?:tell|explain to|show|help|remind|advise|let) me(?: (?:know|understand|out))?(?: with)?\b/g,
  /\b(?:could|can|would|will) you (?:please |kindly )?(?=(?:explain|describe|tell|say|list|give|show)\b)/g,
  /\b(?:please )?(?:tell|show|let) me (?:know )?(?:about )?/g,
  /\bi(?:'d| would)? (?:just )?(?:want|need|like|love|wish)(?:ed)? to (?:know|ask|understand|learn|find out)(?: about)?\b/g,
  /\b(?:do you (?:happen to )?know|any idea|i wonder|i was wondering|i am wondering|just wondering|quick question)\b[\s,:]*/g,
  /\b(?:please|kindly|thanks|thank you|thx|in advance|by the way|btw|exactly|actually|basically|really|simply|just|also|so|well|ok|okay)\b/g,
  /(?:你好|您好|嗨|哈喽|亲)[，,！!。\s]*/g,
  /(?:请问一下|请问|麻烦问一下|麻烦您|麻烦你|麻烦|劳驾|我想知道|我想问一下|我想问|想问一下|想请教一下|想请教|请教一下|咨询一下|我想了解一下|我想了解|想了解|能不能告诉我|能告诉我|可以告诉我|你能告诉我|告诉我|能否告诉我|你知道|有谁知道|谁知道|谢谢|多谢|拜托|帮我|帮忙|请)/g,
  /(?:一下|到底|究竟|具体|其实|呢|吗|啊|呀|吧|嘛|哦|哈|啦)/g,
];

/** Wordings of one kind of question, each with the name that replaces them. */
const kinds: readonly (readonly [kind: string, RegExp])[] = [
  [
    ' ?why ',
    /\b(?:why|how come|for what reason|what is the reason(?: that| why)?|what causes?)\b|(?:为什么|为何|为啥|什么原因|怎么会|凭什么)/g,
  ],
  [' ?howmuch ', /\bhow (?:much|many)\b|(?:要多少|是多少|多少|几个|几次|几种|几)/g],
  [
    ' ?howlong ',
    /\bhow (?:long|often|far|old|big|tall|high|deep|fast|soon)\b|(?:多久|多长时间|多长|多远|多大|多高|多深|多快)/g,
  ],
  [
    ' ?howto ',
    /\b(?:how (?:do|does|can|could|should|would|might|must) (?:i|we|you|one|people|someone|a person|anyone)(?: (?:go about|be able to))?|how to|how should one|how is it possible to|what is the (?:best |right |correct |proper |easiest )?(?:way|method|procedure|process|steps?) (?:to|for|of)|what are the (?:steps|ways) (?:to|for)|what (?:do|should|must|can) i do to|(?:in )?(?:which|what) way (?:do|can|should) i|steps (?:to|for))\b|(?:怎么样才能|怎样才能|怎么才能|如何才能|要怎么样|要怎么|应该怎么|应该如何|该怎么|该如何|我怎么|我如何|怎样|怎么|如何|咋样|咋|有什么(?:办法|方法)(?:可以|能)?)/g,
  ],
  [
    ' ?whatis ',
    /\b(?:what(?:'s| is| are| does| do)?(?: (?:the )?(?:meaning|definition) of)?|define|explain(?: what)?(?: is| are)?|describe|definition of|meaning of|give (?:me )?(?:an? )?(?:explanation|definition|description) of|what do you mean by)\b|(?:什么是|是什么意思|是什么东西|是什么|有哪些|哪些|有什么|是啥意思|是啥|什么叫做|什么叫|何谓|何为|指的是什么|的定义|的含义|的意思|解释|介绍|说明|讲讲|说说|谈谈)/g,
  ],
  [
    ' ?where ',
    /\b(?:where|in (?:which|what) (?:place|location))\b|(?:在什么地方|在哪里|在哪儿|哪里|哪儿|在哪|何处|什么地方)/g,
  ],
  [' ?when ', /\b(?:when|at what time|what time)\b|(?:什么时候|何时|什么时间|啥时候|几点)/g],
  [' ?who ', /\b(?:who|whom|which person)\b|(?:是谁|谁|哪位|什么人)/g],
  [' ?which ', /\bwhich\b|(?:哪一个|哪个|哪种|哪款|哪一)/g],
];

/** Words without meaning of their own; the kind of the question already covers what they ask for. */
const emptyWords = (
  'a an the is are was were be been am do does did i you we it its this that these those my your our me us one ' +
  'there here of s and to for in on at with about as by into has have had would will can could ' +
  '的 了 地 得 着 是 我 你 您 我们 你们 咱们 咱 它 这 那 这个 那个 有 个 要 想 会 能 可以 去 来 就 呢 用 对 在 和 与 跟 及 以及 关于 什么 ， 。 ？'
).split(' ');

/** Synonyms in every context; the first replaces all. */
const synonyms: readonly string[] = [
  'buy purchase',
  'begin start commence',
  'large big',
  'picture photo photograph image pic',
  'phone telephone',
  'car automobile',
  'repair fix mend',
  'obtain get acquire',
  'difference distinction',
  'fast quick rapid quickly rapidly',
  'film movie',
  'delete remove erase',
  'illness disease sickness',
  'doctor physician',
  'child kid',
  'mother mom mum',
  'father dad',
  'vacation holiday',
  'trash garbage rubbish',
  'definition meaning',
  'display show',
  'choose pick select',
  'assist help aid',
  'require need',
  'allow permit',
  'happen occur',
  'try attempt',
  'complete finish',
  'cost price',
  'usa us america',
  'email mail',
  'website site webpage',
  'computer pc',
  'modify change alter edit',
  'reply respond answer',
  'important significant',
  'hard difficult',
  'easy simple',
  'clever smart',
  'sofa couch',
  'road street',
  'forest wood',
  'wealthy rich',
  'ill sick',
  'speak talk',
  'contact reach',
  'parcel package',
  'dispatch ship',
  'city town',
  'teach instruct',
  'construct build',
  'discover find',
  'utilize use',
  'stop halt cease',
  'center centre',
  'color colour',
  'favorite favourite',
  'organize organise',
  'signup register',
  'setup',
  'people person',
  'woman lady',
  'man gentleman',
  'company firm',
  'shop store',
  'invoice bill',
  'refund reimbursement',
  'tv television',
  'bike bicycle',
  'plane airplane aeroplane',
  '购买 买 选购 购置',
  '修理 维修 修',
  '图片 照片 相片 图像',
  '删除 删掉 移除 去掉 去除 删',
  '方法 办法 方式 途径',
  '区别 差别 不同 差异 不同之处 分别',
  '优点 好处 优势 长处',
  '缺点 坏处 劣势 弊端 不足',
  '忘记 忘了 忘',
  '手机 移动电话',
  '电脑 计算机',
  '登录 登陆 登入',
  '孩子 小孩 儿童 小朋友',
  '医生 大夫',
  '价格 价钱 售价',
  '快 迅速 快速',
  '含义 意思 定义',
  '选择 挑选 选',
  '帮助 协助',
  '退款 退钱',
  '发货 寄出 寄送',
  '原因 缘由',
  '更改 修改 改 变更',
  '获得 得到 取得 获取',
  '使用 用 运用',
  '创建 新建 建立',
  '安装 装',
  '母亲 妈妈',
  '父亲 爸爸',
  '开启 打开',
  '密码 口令',
  '账号 帐号 账户 帐户',
  '自行车 单车',
  '电视 电视机',
  '冰箱 电冰箱',
  '客服 客户服务',
  '联系 联络',
  '学习 学',
  '治疗 医治',
  '步骤 流程',
  '美国 美利坚',
  '如今 现今',
  '做法 做 制作',
  '便宜 低价',
  '著名 有名',
  '漂亮 美丽 好看',
  '聪明 聪慧',
  '高兴 开心 快乐',
];

export const questionWords: QuestionWords = {
  fillers: fillers.map(({ source }) => source),
  kinds: kinds.map(([kind, { source }]) => [kind, source]),
  emptyWords,
  synonyms: [...synonyms],
  features: {
    negation: features.negation.source,
    number: features.number.source,
    unit: features.unit.source,
    date: features.date.source,
    direction: features.direction.source,
    scope: features.scope.source,
    side: features.side.source,
    modality: features.modality.source,
  },
};
