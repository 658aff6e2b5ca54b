import type { EdgeBindings } from '../../bindings.ts';
import type { SessionStub } from '../../session/session-stub.ts';

/** A binding whose every Session object is the same one; `names` are those that were reached. */
export function fakeSessions(session: Partial<SessionStub>): { env: EdgeBindings; names: string[] } {
  const { namespace, names } = fakeNamespace(session);
  return { env: { SESSIONS: namespace } as unknown as EdgeBindings, names };
}

/** A namespace of objects that are all the same one. */
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
