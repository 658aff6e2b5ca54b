import type { EdgeBindings } from '../../bindings.ts';
import type { SessionStub } from '../../session/session-stub.ts';

/** A binding with one object for all sessions; `names` records the reached ones. */
export function fakeSessions(session: Partial<SessionStub>): { env: EdgeBindings; names: string[] } {
  const { namespace, names } = fakeNamespace(session);
  return { env: { SESSIONS: namespace } as unknown as EdgeBindings, names };
}

/** A namespace with one object for all names. */
export function fakeNamespace(object: object): { namespace: object; names: string[] } {
  const names: string[] = [];
  const namespace = {
    idFromName: (name: string) => name,
    get(name: string) {
      names.push(name);
      return object;
    },
  };
  return { namespace, names };
}
