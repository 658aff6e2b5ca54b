import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { useApp } from '../app-state.ts';
import type { ConversationNode } from '../chat/conversation-nodes.ts';
import type { PathStep } from '../chat/message-tree.ts';
import { t } from '../words/words.ts';
import { AnswerView } from './answer-view.tsx';
import { editing } from './editing.ts';
import { Icon } from './icons.tsx';
import { QuestionView } from './question-view.tsx';

/** Closer to the end than this is at the end, in pixels. */
const NEAR_END = 48;
/** Closer to the beginning than this, older messages are read. */
const NEAR_START = 600;

/** The messages, of which only those near the screen are in the page. Follows the end only while the reader is there. */
// long: one scroll position and what moves it
export function MessageList() {
  const { conversation } = useApp();
  const current = conversation.value;
  const path = current.path.value;
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const follows = useRef(true);
  const lastTop = useRef(0);
  const [away, setAway] = useState(false);

  const firstKey = path[0]?.node.key;
  const before = useRef<string | undefined>(undefined);
  const known = useRef(new Set<string>());
  // Older messages that come in at the top must not push what is being read away.
  const prepended =
    before.current !== undefined &&
    firstKey !== before.current &&
    known.current.has(before.current) &&
    path.some(({ node }) => node.key === before.current);
  useLayoutEffect(() => {
    before.current = firstKey;
    known.current = new Set(path.map(({ node }) => node.key));
  });

  const toEnd = () => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  };

  // Another conversation, or a new question: its end is what is to be seen.
  const lastQuestion = path.findLast(({ node }) => node.pending !== undefined)?.node.key;
  useLayoutEffect(() => {
    follows.current = true;
    setAway(false);
    toEnd();
  }, [current, lastQuestion, path.length === 0]);

  // A question that is edited may be far above what is shown; until that is done the end is not followed.
  const edited = path.findIndex(({ node }) => node.key === editing.value);
  useLayoutEffect(() => {
    if (edited < 0) return;
    follows.current = false;
    const element = scroller.current;
    if (!element || !list.current) return;
    // By the page's own place: the list hears of a scroll a frame later, and would take the question for visible.
    const { scrollTop, clientHeight } = element;
    const top = list.current.getItemOffset(edited);
    const bottom = top + list.current.getItemSize(edited);
    if (top < scrollTop) list.current.scrollToIndex(edited, { align: 'start' });
    else if (bottom > scrollTop + clientHeight) list.current.scrollToIndex(edited, { align: 'end' });
  }, [edited]);

  useEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (!element || !content) return;
    const observer = new ResizeObserver(() => {
      if (follows.current) toEnd();
    });
    observer.observe(content);
    observer.observe(element);
    return () => observer.disconnect();
  }, [current]);

  function onScroll(): void {
    const element = scroller.current;
    if (!element) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_END;
    // Only the reader's own way up leaves the end; content that grows does not.
    if (isNear) follows.current = edited < 0;
    else if (scrollTop < lastTop.current - 2) follows.current = false;
    lastTop.current = scrollTop;
    setAway(!isNear && !follows.current);
    if (scrollTop < NEAR_START && current.hasOlder.value) void current.readOlder().catch(() => undefined);
  }

  const last = path.at(-1)?.node;
  const unanswered = last?.isQuestion && last.stored && !current.busy.value;
  return (
    <div class="messages-frame">
      {/* A reader of the keyboard must be able to scroll it. */}
      <section class="messages" ref={scroller} onScroll={onScroll} tabIndex={0} aria-label={t('messages')}>
        <div class="messages-inner">
          {current.hasOlder.value && <p class="older">{t('older')}</p>}
          <Virtualizer
            ref={list}
            scrollRef={scroller}
            shift={prepended}
            // What was typed stays when the reader looks elsewhere.
            keepMounted={edited < 0 ? [] : [edited]}
            startMargin={current.hasOlder.value ? 40 : 0}
          >
            {path.map((step) => (
              <MessageView key={step.node.key} step={step} />
            ))}
          </Virtualizer>
          {unanswered && <Unanswered turnId={last.turnId} />}
        </div>
      </section>
      {away && (
        <button
          type="button"
          class="to-end"
          aria-label={t('toBottom')}
          title={t('toBottom')}
          onClick={() => {
            follows.current = true;
            setAway(false);
            toEnd();
          }}
        >
          <Icon name="arrowDown" />
        </button>
      )}
    </div>
  );
}

function MessageView({ step }: { step: PathStep<ConversationNode> }) {
  return step.node.isQuestion ? <QuestionView step={step} /> : <AnswerView step={step} />;
}

function Unanswered({ turnId }: { turnId: string | undefined }) {
  const { ask } = useApp();
  return (
    <div class="pending failure unanswered">
      <p>{t('notAnswered')}</p>
      {turnId !== undefined && (
        <button type="button" class="secondary" onClick={() => ask({ text: '', again: turnId })}>
          {t('retry')}
        </button>
      )}
    </div>
  );
}
