// A Yjs client that nobody here wrote: @hocuspocus/provider with yjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import WebSocket from 'ws';
import * as Y from 'yjs';
import { Server, until } from '../lib/tablehop.mjs';

let server;
let cafe;
const people = [];

before(async () => {
  server = await Server.start();
  cafe = await server.create({
    title: 'Interop',
    tables: [{ topic: 'One' }, { topic: 'Two' }],
    rounds: [{ minutes: 20 }],
    settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
  });
  await server.command(cafe.id, cafe.facilitator_token, { type: 'go_to', phase: 'lobby' });
  for (const name of ['Ann', 'Bo', 'Cy', 'Di']) people.push(await server.join(cafe.join_code, name));
  await server.command(cafe.id, cafe.facilitator_token, { type: 'next_round' });
});

after(() => server.stop());

async function seat(person) {
  return (await server.view(cafe.id, person.token)).part.seat.table.id;
}

function connect(token, table) {
  const document = new Y.Doc();
  const socket = new HocuspocusProviderWebsocket({
    url: server.base.replace('http', 'ws') + '/collab',
    WebSocketPolyfill: WebSocket,
  });
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: `board/${cafe.id}.t${table}`, document, token });
  let failed;
  provider.on('authenticationFailed', ({ reason }) => (failed = reason));
  provider.attach();
  return {
    document,
    provider,
    failed: () => failed,
    close() {
      provider.destroy();
      socket.destroy();
    },
  };
}

test('Y-1 joins with a token, edits, sees others, and is synced', async () => {
  const tables = await Promise.all(people.map(seat));
  const mates = people.filter((_, i) => tables[i] === tables[0]);
  assert.ok(mates.length >= 2, 'two people share a table');
  const [a, b] = mates.slice(0, 2).map(person => connect(person.token, tables[0]));
  try {
    await until('both are synced', () => a.provider.isSynced && b.provider.isSynced);
    a.document.getText('handover.so_far').insert(0, '已有：三个想法 😀');
    await until('the other sees it', () => b.document.getText('handover.so_far').toString() === '已有：三个想法 😀');
    b.document.getText('handover.so_far').insert(3, '（续）');
    await until('and back', () => a.document.getText('handover.so_far').toString().startsWith('已有：（续）'));
    await until('nothing is unsynced', () => a.provider.unsyncedChanges === 0 && b.provider.unsyncedChanges === 0);
    assert.equal(a.provider.authorizedScope, 'read-write');

    // Offline and back: what was written meanwhile arrives.
    const socket = a.provider.configuration.websocketProvider;
    socket.disconnect();
    await until('the connection is gone', () => socket.status === 'disconnected');
    a.document.getText('handover.open').insert(0, '离线写的');
    socket.connect();
    await until('the offline edit arrives', () => b.document.getText('handover.open').toString() === '离线写的');
    await until('and is acknowledged', () => a.provider.unsyncedChanges === 0);
  } finally {
    a.close();
    b.close();
  }
});

test('Y-1 a participant is refused at a table they were not seated at', async () => {
  const table = (await seat(people[0])) === 1 ? 2 : 1;
  const stranger = connect(people[0].token, table);
  try {
    await until('the refusal', () => stranger.failed() !== undefined);
    assert.equal(stranger.provider.isSynced, false);
  } finally {
    stranger.close();
  }
});

test('Y-1 a nonsense token is refused', async () => {
  const nobody = connect('nonsense', 1);
  try {
    await until('the refusal', () => nobody.failed() !== undefined);
  } finally {
    nobody.close();
  }
});
