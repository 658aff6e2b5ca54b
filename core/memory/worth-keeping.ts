/** What of a sentence would be missed later: numbers, limits, names and decisions. By signs, without a model. */

export type Speaker = 'user' | 'assistant';

const decisions =
  /\b(?:decided?|decision|agreed?|settled|let'?s|we(?:'ll| will)|i(?:'ll| will)|go(?:ing)? with|chose|choose|picked|final(?:ly|ise|ize)?)\b|决定|确定|同意|选择|选了|就用|就这样|定为|定在|约定|说好/i;
const limits =
  /\b(?:must(?:n'?t)?|never|always|only|at (?:most|least)|no more than|not? (?:allowed|later)|don'?t|do not|cannot|can'?t|need(?:s)? to|have to|required?|deadline|budget|allerg\w+|avoid|without|except)\b|必须|不能|不要|不得|不可|只能|只用|最多|最少|至少|不超过|截止|预算|过敏|避免|务必|禁止|除了/i;
const names =
  /\b(?:my name is|i am called|call me|i'?m|i am|i live|i work|my \w+(?: \w+)? is|is called|named|i (?:like|love|prefer|hate|want)|remember)\b|我叫|我是|我姓|我住|我在|我的|名叫|叫做|我喜欢|我爱|我讨厌|我想要|记住|记得/i;
const number =
  /\d|[零一二三四五六七八九十百千万亿两]{2,}|[一二三四五六七八九十两][个次天周月年点元块斤克米]|\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|june|july|august|september|october|november|december)\b|星期|周[一二三四五六日]/i;
const question =
  /[?？]\s*$|^(?:what|why|how|when|where|who|which|is|are|can|could|do|does|did|will|would|should)\b|吗[。？?]?$|^(?:什么|为什么|怎么|如何|谁|哪)/i;
/** A name in the middle of a sentence. */
const properName = /[a-z,;:] [A-Z][a-z]+/;

/** @returns 0 for what need not be kept; more for what matters more */
export function weightOf(sentence: string, speaker: Speaker): number {
  const asks = question.test(sentence);
  let weight = 0;
  if (names.test(sentence)) weight += 3;
  if (decisions.test(sentence)) weight += 3;
  if (limits.test(sentence)) weight += 3;
  if (number.test(sentence)) weight += 2;
  if (properName.test(sentence)) weight += 1;
  // A question states nothing, whatever it names.
  if (asks) weight -= 5;
  // What the user says of himself nobody else can say again.
  if (speaker === 'assistant') weight -= 2;
  return Math.max(0, weight);
}
