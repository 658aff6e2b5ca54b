#!/usr/bin/env bash
# The first steps of a new user: npm start, the curl that it prints, a token, Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
export PORT=18787 CORE_PORT=18788 EDGEWISE_DATA="$work/data with a space"
# No model of this machine may answer: the check expects the text of the extractive model.
unset OPENAI_API_KEY OPENAI_BASE_URL OPENAI_MODEL AZURE_OPENAI_API_KEY
# The program without npm, since npm does not handle a signal like Ctrl-C in a terminal.
PATH="$PWD/node_modules/.bin:$PATH"

node infra/cli/start.ts >"$work/start.log" 2>&1 &
start=$!
clean_up() {
  if kill -0 "$start" 2>/dev/null; then kill -KILL "$start"; fi
  rm -rf "$work"
}
trap clean_up EXIT

fail() {
  echo "smoke: $1" >&2
  cat "$work/start.log" >&2
  exit 1
}

for ((i = 0; i < 300; i++)); do
  grep -q 'Stop: Ctrl-C' "$work/start.log" && break
  kill -0 "$start" 2>/dev/null || fail 'npm start ended before it was ready'
  sleep 0.1
done
grep -q 'Stop: Ctrl-C' "$work/start.log" || fail 'npm start was not ready after 30 seconds'
grep -q 'edgewise-extractive: no language model is configured' "$work/start.log" || fail 'the models are not named'
[[ $(stat -c %a "$EDGEWISE_DATA/secrets.json") == 600 ]] || fail 'the secrets can be read by others'

sed -n '/^curl/,/}.$/p' "$work/start.log" >"$work/curl.sh"
bash "$work/curl.sh" >"$work/answer" 2>/dev/null || fail 'the printed curl failed'
grep -q '^data: \[DONE\]$' "$work/answer" || fail 'the printed curl got no whole answer'
grep -q '"content":"No"' "$work/answer" || fail 'the answer does not say that no model is configured'

token=$(npm run --silent token -- --sub alice)
curl -sf "http://127.0.0.1:$PORT/v1/models" -H "Authorization: Bearer $token" | grep -q '"id":"auto"' || fail 'a new token does not work'

kill -INT "$start"
wait "$start" || fail 'Ctrl-C did not end it with code 0'
echo 'smoke: npm start, the printed curl, a token and Ctrl-C work'
