import type { EdgeBindings } from '../../bindings.ts';
import type { SessionStub } from '../../session/session-stub.ts';

/** A binding whose every Session object is the same one; `names` are those that were reached. */
export function fakeSessions(session: Partial<SessionStub>): { env: EdgeBindings; names: string[] } {
  const names: string[] = [];
  const SESSIONS = {
    idFromName: (name: string) => name,
    get(name: string) {
      names.push(name);
      return session;
    },
  };
  return { env: { SESSIONS } as unknown as EdgeBindings, names };
}
