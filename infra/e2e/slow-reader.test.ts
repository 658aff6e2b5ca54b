/** A socket whose reader stops reading: what waits for it is bounded, and it can come back for the rest. */
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeCodes, SESSION_PROTOCOL, tokenProtocol } from '../../shared/protocol/session-socket.ts';
import { chunk, openStream } from './scripted-upstream.ts';
import { type System, startSystem } from './system.ts';

const PIECES = 400;
const PIECE_CHARS = 64 * 1024;

let system: System;
beforeAll(async () => {
  system = await startSystem({ env: { EDGEWISE_MAX_OUTPUT_TOKENS: '10000000' } });
  system.upstream.behave((_call, answer) => {
    openStream(answer);
    answer.write(chunk({ role: 'assistant', content: '' }));
    for (let piece = 0; piece < PIECES; piece++)
      answer.write(chunk({ content: 'word '.repeat(PIECE_CHARS / 5) }));
    answer.write(chunk({}, 'stop'));
    answer.end('data: [DONE]\n\n');
  });
});
afterAll(() => system.stop());

/** A WebSocket by hand (RFC 6455), since a library's client always reads. */
async function connectRaw(sessionId: string): Promise<Socket> {
  const { hostname, port } = new URL(system.address);
  const socket = connect(Number(port), hostname);
  const key = randomBytes(16).toString('base64');
  socket.write(
    [
      `GET /v1/sessions/${sessionId}/ws HTTP/1.1`,
      `host: ${hostname}:${port}`,
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${key}`,
      `sec-websocket-protocol: ${SESSION_PROTOCOL}, ${tokenProtocol(await system.token())}`,
      '\r\n',
    ].join('\r\n'),
  );
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  await new Promise<void>((resolve, reject) => {
    socket.once('data', (data) => {
      if (data.toString('latin1').includes(accept)) resolve();
      else reject(new Error(data.toString()));
    });
  });
  return socket;
}

/** A masked text frame of 126 to 65,535 bytes. */
function sendText(socket: Socket, text: string): void {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0));
  socket.write(
    Buffer.concat([Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255]), mask, masked]),
  );
}

/** Reads to the end: how many bytes came, and the close frame's code. */
async function drain(socket: Socket): Promise<{ bytes: number; code: number; reason: string }> {
  const pieces: Buffer[] = [];
  const closeFrame = () => Buffer.concat(pieces.slice(-2)).indexOf(Buffer.from('resume to go on'));
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the socket was not closed')), 15_000);
    socket.on('data', (data) => {
      pieces.push(data);
      if (closeFrame() < 0) return;
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
  });
  const all = Buffer.concat(pieces);
  const frame = all.subarray(all.lastIndexOf(0x88));
  return { bytes: all.length, code: frame.readUInt16BE(2), reason: frame.subarray(4).toString() };
}

test.each([
  ['that never acknowledges', false, 9],
  ['that acknowledged and then stopped', true, 2],
])(
  'a reader %s is given up, and the turn goes on',
  async (_name, acknowledges, mostMb) => {
    const sessionId = crypto.randomUUID();
    const socket = await connectRaw(sessionId);
    if (acknowledges) {
      const id = `resp_${'0'.repeat(32)}_${sessionId}`;
      sendText(socket, JSON.stringify({ type: 'edgewise.ack', response_id: id, sequence_number: 0 }));
    }
    socket.pause();
    const answer = system.chat('hi', { stream: true }, { 'x-session-id': sessionId });
    const body = await (await answer).text();
    expect(body).toContain('[DONE]');
    await new Promise((resolve) => setTimeout(resolve, 6000));
    const { bytes, code, reason } = await drain(socket);
    socket.destroy();
    expect({ code, reason }).toEqual({
      code: closeCodes.tooSlow,
      reason: 'the reader is too slow; resume to go on',
    });
    expect(bytes).toBeLessThan(mostMb * 1024 * 1024);
    expect(bytes).toBeGreaterThan(512 * 1024);
    expect(body.length).toBeGreaterThan(PIECES * PIECE_CHARS);
  },
  40_000,
);
