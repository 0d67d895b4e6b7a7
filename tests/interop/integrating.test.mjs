// The ten lines of docs/integrating.md, taken from there and run: what the page promises is what happens.
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import WebSocket from 'ws';
import { asModule, lines } from '../lib/integrating.mjs';
import { Cafe, until } from './clients.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

// Runs code of the page as a module that is given `inputs`, and returns its variables called `outputs`.
async function run(name, inputs, outputs) {
  const file = path.join(here, `.example-${process.pid}-${name}.mjs`);
  await writeFile(file, asModule([name], Object.keys(inputs), outputs));
  try {
    // The query makes it a module of its own each time.
    return await (await import(`${pathToFileURL(file)}?${Math.random()}`)).example(inputs);
  } finally {
    await rm(file);
  }
}

let cafe;
before(async () => {
  // What browsers and newer versions of Node.js have by themselves.
  globalThis.WebSocket ??= WebSocket;
  cafe = await Cafe.open();
});
after(() => cafe.stop());

const greeted = async (table, times) => {
  const board = JSON.stringify(await cafe.read(table));
  return board.split('Hello from a clerk.').length - 1 >= times;
};

let clerk;
test('Y-6 the page shows how to get a token', async () => {
  const server = cafe.server.base;
  clerk = { server, ...(await run('join', { server, code: cafe.join_code }, ['workshop', 'token', 'table'])) };
  assert.equal(clerk.workshop, cafe.id);
  assert.match(String(clerk.table), /^[12]$/);
});

test('Y-6 its ten lines with @hocuspocus/provider work', async () => {
  assert.ok(lines('hocuspocus').trim().split('\n').filter(Boolean).length <= 10, 'ten lines are promised');
  const { provider, socket, document } = await run('hocuspocus', clerk, ['provider', 'socket', 'document']);
  await until('the greeting is on the board', () => greeted(clerk.table, 1));
  await until('and saved', () => provider.unsyncedChanges === 0);
  provider.destroy();
  socket.destroy();
  document.destroy();
});

test('Y-6 its ten lines with y-websocket work', async () => {
  assert.ok(lines('y-websocket').trim().split('\n').filter(Boolean).length <= 10, 'ten lines are promised');
  const { provider, document } = await run('y-websocket', clerk, ['provider', 'document']);
  await until('the greeting is on the board', () => greeted(clerk.table, 2));
  provider.destroy();
  document.destroy();
  const stranger = await run('y-websocket', { ...clerk, token: 'nonsense' }, ['provider', 'document']);
  await until('a client without a right gives up', () => !stranger.provider.shouldConnect);
  stranger.provider.destroy();
  stranger.document.destroy();
});
