import { claimsOf } from '../account/token-keeper.ts';
import { useApp } from '../app-state.ts';
import { t } from '../words/words.ts';
import { Icon } from './icons.tsx';
import { languageItems } from './language-menu.tsx';
import { Menu } from './menu.tsx';
import { theme } from './theme.ts';

export function SettingsMenu() {
  const { account, signOut } = useApp();
  const { sub, name, email } = claimsOf(account.accessToken);
  const known = [name, email, sub].find((value) => typeof value === 'string');
  const who = account.kind === 'guest' ? t('guest') : String(known ?? t('signedIn'));
  const themes = [
    ['auto', t('themeAuto')],
    ['light', t('themeLight')],
    ['dark', t('themeDark')],
  ] as const;
  return (
    <Menu
      label={t('settings')}
      value={who}
      class="settings"
      up
      items={[
        { group: t('theme') },
        ...themes.map(([id, label]) => ({
          label,
          checked: theme.value === id,
          run: () => {
            theme.value = id;
          },
        })),
        { group: t('language') },
        ...languageItems(),
        { group: who },
        { label: t('signOut'), run: signOut },
      ]}
    >
      <span class="avatar" data-letter={who.slice(0, 1).toUpperCase()} />
      <span class="who">{who}</span>
      <Icon name="gear" />
    </Menu>
  );
}
