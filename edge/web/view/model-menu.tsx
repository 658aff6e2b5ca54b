import { useApp } from '../app-state.ts';
import { t } from '../words/words.ts';
import { Icon } from './icons.tsx';
import { Menu, type MenuItem } from './menu.tsx';

const aliases: Record<string, () => { label: string; hint: string }> = {
  auto: () => ({ label: t('modelAuto'), hint: t('modelAutoHint') }),
  fast: () => ({ label: t('modelFast'), hint: t('modelFastHint') }),
  smart: () => ({ label: t('modelSmart'), hint: t('modelSmartHint') }),
};

/** The aliases in their order, and then the models as they come. */
function placeOf(id: string): number {
  const names = Object.keys(aliases);
  return names.includes(id) ? names.indexOf(id) : names.length;
}

export function ModelMenu() {
  const { models, model } = useApp();
  const chats = models.value
    .filter(({ edgewise }) => !edgewise.offers || edgewise.offers.includes('chat'))
    .toSorted((a, b) => placeOf(a.id) - placeOf(b.id));
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
  const chosen = aliases[model.value]?.().label ?? model.value;
  return (
    <Menu label={t('model')} value={chosen} items={items} class="model-menu">
      <span>{chosen}</span>
      <Icon name="chevron" size={14} />
    </Menu>
  );
}
