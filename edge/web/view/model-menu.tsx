import { useApp } from '../app-state.ts';
import { t } from '../words/words.ts';
import { Icon } from './icons.tsx';
import { Menu, type MenuItem } from './menu.tsx';

const aliases: Record<string, () => { label: string; hint: string }> = {
  auto: () => ({ label: t('modelAuto'), hint: t('modelAutoHint') }),
  fast: () => ({ label: t('modelFast'), hint: t('modelFastHint') }),
  smart: () => ({ label: t('modelSmart'), hint: t('modelSmartHint') }),
};

export function ModelMenu() {
  const { models, model } = useApp();
  const chats = models.value.filter(({ edgewise }) => !edgewise.offers || edgewise.offers.includes('chat'));
  const items = chats.map(({ id, edgewise }): MenuItem => {
    const named = aliases[id]?.();
    return {
      label: named?.label ?? id,
      hint: named?.hint ?? (edgewise.breaker === 'open' ? '⏸' : undefined),
      checked: model.value === id,
      run: () => {
        model.value = id;
      },
    };
  });
  const order = (item: MenuItem) =>
    ['auto', 'fast', 'smart'].findIndex((id) => aliases[id]?.().label === item.label);
  items.sort((a, b) => (order(a) < 0 ? 9 : order(a)) - (order(b) < 0 ? 9 : order(b)));
  const chosen = aliases[model.value]?.().label ?? model.value;
  return (
    <Menu label={t('model')} value={chosen} items={items} class="model-menu">
      <span>{chosen}</span>
      <Icon name="chevron" size={14} />
    </Menu>
  );
}
