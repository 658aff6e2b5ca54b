import { chooseLocale, locale, locales, t } from '../words/words.ts';
import { Menu } from './menu.tsx';

export const languageItems = () =>
  locales.map(({ id, name }) => ({ label: name, checked: locale.value === id, run: () => chooseLocale(id) }));

export function LanguageMenu() {
  const name = locales.find(({ id }) => id === locale.value)?.name;
  return (
    <Menu label={t('language')} value={name} items={languageItems()} class="language" up>
      {name}
    </Menu>
  );
}
