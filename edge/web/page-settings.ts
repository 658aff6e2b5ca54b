import type { SignInSettings } from './account/provider.ts';

/** `GET /page.json`: what the page has to know before anybody has signed in. */
export interface PageSettings {
  guests: boolean;
  /** Parts of the server that may not be there: `conversations`, `documents`, `feedback`, `usage`, `metrics`. */
  features: string[];
  sign_in?: SignInSettings;
}

export async function readPageSettings(ask: typeof fetch): Promise<PageSettings> {
  const response = await ask('/page.json');
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  return response.json();
}
