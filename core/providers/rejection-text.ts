/** What a caller may read of an upstream's message about its request. Not in `shared/`, since the Worker's size counts. */

/** Keys, addresses and account names, which upstreams like to repeat in their messages. */
const secrets =
  /https?:\/\/\S+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\b(?:sk|pk|rk|org|proj|key|user|asst|ft)[-_][\w*.-]{4,}|\b[A-Za-z0-9_*-]{32,}\b|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|ai|cn|dev|local)\b/gi;
const MAX_TEXT = 500;

/** The upstream's own words on what is wrong with the request, which only the caller can correct. */
export function rejectionText(said: unknown): string {
  if (typeof said !== 'string' || said === '') return 'The model rejected the request.';
  return `The model rejected the request: ${said.replace(secrets, '[redacted]').slice(0, MAX_TEXT)}`;
}
