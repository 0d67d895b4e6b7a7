// yjs from npm and yrs exchange random edits and end identical. The server is yrs; so are the simulated guests, who meanwhile write notes and
// type and delete in everybody's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as Y from 'yjs';
import { Guests } from '../lib/tablehop.mjs';
import { Cafe, clients, until, using, writeNote } from './clients.mjs';

let cafe;
before(async () => (cafe = await Cafe.open({ people: 8 })));
after(() => cafe.stop());

// mulberry32: small, seeded, good enough to shuffle edits.
function random(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { below: n => Math.floor(next() * n), chance: p => next() < p, pick: list => list[Math.floor(next() * list.length)] };
}

const words = ['业主', '维修', '😀', '👨‍👩‍👧', 'a', ' and ', '，', '回访', '\n'];

// A place between two characters: halves of an emoji are no place to write.
function place(text, dice) {
  const at = dice.below(text.length + 1);
  const code = text.toString().charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

function step(client, dice, done) {
  const notes = client.document.getMap('notes');
  const ids = [...notes.keys()];
  const kind = dice.below(100);
  if (ids.length === 0 || kind < 10) {
    done.notes += 1;
    writeNote(client.document, dice.pick(words), `${done.seed}-${done.notes}`);
  } else if (kind < 65) {
    const text = dice.chance(0.3) ? client.document.getText(dice.pick(['handover.so_far', 'handover.open'])) : notes.get(dice.pick(ids)).get('text');
    const at = place(text, dice);
    text.insert(at, dice.pick(words));
    done.letters += 1;
  } else if (kind < 80) {
    const text = notes.get(dice.pick(ids)).get('text');
    if (text.length > 2) {
      const from = place(text, dice);
      const to = place(text, dice);
      text.delete(Math.min(from, to), Math.min(Math.abs(to - from), 4) === 4 && /[\udc00-\udfff]/.test(text.toString()[Math.min(from, to) + 4] ?? '') ? 3 : Math.min(Math.abs(to - from), 4));
      done.deletions += 1;
    }
  } else if (kind < 90) {
    const note = notes.get(dice.pick(ids));
    note.set(...dice.pick([['x', dice.below(900)], ['y', dice.below(900)], ['kind', dice.pick(['idea', 'pain', 'question'])], ['deleted', dice.chance(0.2)]]));
    done.keys += 1;
  } else if (kind < 94) {
    if (!client.away && client.connected()) {
      client.offline();
      client.away = true;
      done.offline += 1;
    }
  } else {
    comesBack(client);
  }
}

function comesBack(client) {
  // Whoever is just connecting is not asked twice.
  if (client.away && !client.connected()) {
    client.away = false;
    client.online();
  }
}

for (const seed of [1, 2, 3]) {
  test(`B-1 yjs and yrs end identical after random edits, seed ${seed}`, async () => {
    const dice = random(seed);
    const done = { seed, notes: 0, letters: 0, deletions: 0, keys: 0, offline: 0 };
    const makers = Object.values(clients);
    const opened = makers.map((connect, n) => connect(cafe.server.base, cafe.board, cafe.mates[n % cafe.mates.length].token));
    const before = await cafe.figure('tablehop_edits_total');
    await using(opened, async () => {
      for (const client of opened) await until('synced', () => client.synced());
      const guests = new Guests(cafe.server, cafe.join_code, { guests: 4, notes: 6, scribbles: 8, pace: 60, seed });
      for (let n = 0; n < 600; n += 1) {
        step(dice.pick(opened), dice, done);
        if (n % 20 === 0) await new Promise(resolve => setTimeout(resolve, 5));
      }
      await until('the guests wrote', () => guests.wrote.length >= 12);
      guests.stop();
      await guests.ended;
      for (const client of opened) await until('the connection is gone, or there', () => (comesBack(client), !client.away));
      for (const client of opened) await until('all is saved', () => client.synced() && client.saved());
      // A document that was never here: all it has comes from the server's.
      await using([clients['@hocuspocus/provider 4'](cafe.server.base, cafe.board, cafe.mates[0].token)], async fresh => {
        await until('synced', () => fresh.synced());
        const seen = document => JSON.stringify([document.getMap('notes').toJSON(), document.getText('handover.so_far'), document.getText('handover.open')]);
        const vector = document => Buffer.from(Y.encodeStateVector(document)).toString('hex');
        for (const [n, client] of opened.entries()) {
          await until(`${Object.keys(clients)[n]} is equal`, () => {
            // Equal in content, and in what each knows of everybody's edits.
            const [mine, theirs] = [client.document, fresh.document].map(Y.encodeStateVector).map(Y.decodeStateVector);
            return mine.size === theirs.size && [...mine].every(([id, clock]) => theirs.get(id) === clock) && sorted(client.document) === sorted(fresh.document);
          });
        }
        assert.ok(vector(fresh.document).length > 0 && seen(fresh.document).length > 100);
        // And as yrs reads it on the server.
        const board = await cafe.read();
        for (const [id, note] of fresh.document.getMap('notes')) {
          if (note.get('deleted')) continue;
          const there = board.notes.find(each => each.id === id);
          assert.equal(there?.text, note.get('text').toString(), `note ${id} as yrs reads it`);
        }
      });
    });
    const stored = (await cafe.figure('tablehop_edits_total')) - before;
    assert.ok(stored > 200, `${stored} edits reached the server`);
    assert.ok(done.notes > 20 && done.letters > 150 && done.deletions > 20 && done.keys > 20 && done.offline > 5, JSON.stringify(done));
  });
}

// Keys of a map have no order; JSON has.
function sorted(document) {
  const notes = Object.entries(document.getMap('notes').toJSON()).sort(([a], [b]) => (a < b ? -1 : 1));
  const fields = notes.map(([id, note]) => [id, Object.entries(note).sort(([a], [b]) => (a < b ? -1 : 1))]);
  return JSON.stringify([fields, document.getText('handover.so_far'), document.getText('handover.open')]);
}
