// What takes half a minute, all at once: connections on which nothing happens, and such as are lost without anybody being told. Clients of
// both kinds drop one on which they hear nothing for 30 seconds.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cafe, clients, times, until, using, wired, wordsOf, writeNote } from './clients.mjs';

const names = Object.keys(clients);
const idle = 35;
// Each of the many y-websocket clients waits for the end of the process.
process.setMaxListeners(0);

let cafe;
// Of the further tables each is for one who is alone at it.
before(async () => (cafe = await Cafe.open({ tables: 2 + 2 * names.length })));
after(() => cafe.stop());

const sleep = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));

describe('for half a minute', { concurrency: true }, () => {
  for (const [n, [name, connect]] of Object.entries(clients).entries()) {
    for (const isSeen of [true, false]) {
      // Presence is said again every 15 seconds, and answered; who shows none says nothing at all.
      test(`Y-8 ${name} stays connected while nothing happens, ${isSeen ? 'there for all to see' : 'without presence'}`, () => {
        const table = 3 + 2 * n + (isSeen ? 0 : 1);
        return using([connect(cafe.server.base, `${cafe.id}.t${table}`, cafe.facilitator_token)], async client => {
          if (!isSeen) client.awareness.setLocalState(null);
          await until('synced', () => client.synced());
          const socket = client.socket();
          let isOpen = true;
          socket.addEventListener('close', () => (isOpen = false));
          await sleep(idle);
          assert.ok(isOpen && client.connected() && client.socket() === socket, 'it is the same connection');
          const id = writeNote(client.document, name, 1);
          await until('and it works', async () => (await cafe.read(table)).notes.some(note => note.id === id), 5);
          assert.equal(client.socket(), socket);
        });
      });
    }

    test(`Y-2 Y-3 ${name} loses its connection without being told, is gone for others, and comes back with what it wrote`, () =>
      wired(cafe.server, wire =>
        using([connect(wire.base, cafe.board, cafe.mates[0].token), connect(cafe.server.base, cafe.board, cafe.mates[1].token)], async (a, b) => {
          const isThere = (who, seenBy) => seenBy.awareness.getStates().has(who.document.clientID);
          const text = client => client.document.getMap('notes').get(shared).get('text');
          await until('both are synced', () => a.synced() && b.synced());
          const shared = writeNote(a.document, name, 1);
          await until('the other sees it', () => wordsOf(b.document, shared) === name);
          await until('they see each other', () => isThere(a, b) && isThere(b, a));
          wire.cut();
          text(a).insert(name.length, '，又离线');
          const alone = writeNote(a.document, `${name} 离线写的`, 2);
          text(b).insert(0, '一直');
          assert.ok(a.connected(), 'it has not noticed anything');
          // Their clients see to that after half a minute, in which nobody said that they were still there. Then, or soon, they give up the
          // connection and call in vain.
          await until('they are gone for each other', () => !isThere(a, b) && !isThere(b, a), idle + 5);
          assert.deepEqual([wordsOf(b.document, alone), wordsOf(b.document, shared)], [undefined, `一直${name}`], 'cut is cut');
          assert.equal(wordsOf(a.document, shared), `${name}，又离线`);
          text(a).insert(text(a).length, '，还离线');
          wire.restore();
          const words = `一直${name}，又离线，还离线`;
          for (const client of [a, b]) await until('all that both wrote', () => wordsOf(client.document, shared) === words);
          await until('the new note, too', () => wordsOf(b.document, alone) === `${name} 离线写的`);
          await until('all is saved', () => a.saved() && b.saved());
          await using([connect(cafe.server.base, cafe.board, cafe.mates[1].token)], async fresh => {
            await until('synced', () => fresh.synced());
            for (const seen of [fresh, a, b].map(client => client.document.getMap('notes')).concat([await cafe.read()])) {
              assert.deepEqual([words, `${name} 离线写的`].map(each => times(each, seen)), [1, 1], 'once');
            }
          });
          await until('back for the other', () => isThere(a, b));
          // The server still held the connection that was lost, as it does for a minute more. That one's end is not that of the new one.
          wire.forget();
          await sleep(0.3);
          assert.ok(isThere(a, b), 'and still there');
        }),
      ));
  }
});
