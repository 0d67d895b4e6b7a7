// Each of the clients of other makers, of each version in use, against a real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as Y from 'yjs';
import { Cafe, clients, until, using, wordsOf, writeNote } from './clients.mjs';

let cafe;
before(async () => (cafe = await Cafe.open()));
after(() => cafe.stop());

const users = client => [...client.awareness.getStates().values()].map(state => state.user?.name).filter(Boolean);

// A café of its own, since this one goes on to its plan.
test('Y-4 a reviewer reads with every client once there is a plan, and writes with none', async () => {
  const later = await Cafe.open();
  try {
    await later.command({ type: 'end_round' });
    for (const phase of ['gallery', 'harvest']) await later.command({ type: 'go_to', phase });
    const facilitator = clients['@hocuspocus/provider 4'](later.server.base, `${later.id}.harvest`, later.facilitator_token);
    await using([facilitator], async ({ document, synced, saved }) => {
      await until('synced', synced);
      const theme = new Y.Map();
      document.transact(() => {
        document.getMap('themes').set('t1', theme);
        for (const [key, value] of Object.entries({ title: new Y.Text('主题'), summary: new Y.Text(), order: 0, deleted: false })) theme.set(key, value);
      });
      await until('saved', saved);
    });
    for (const phase of ['vote', 'plan']) await later.command({ type: 'go_to', phase });
    for (const [name, connect] of Object.entries(clients)) {
      await using([connect(later.server.base, `${later.id}.harvest`, later.review_token)], async reader => {
        await until(`${name} reads`, () => reader.document.getMap('themes').get('t1')?.get('title').toString() === '主题');
        const refused = await later.figure('tablehop_refusals_total{reason="read_only"}');
        reader.document.getMap('themes').get('t1').get('title').insert(0, '改');
        await until('the edit is refused', async () => (await later.figure('tablehop_refusals_total{reason="read_only"}')) > refused);
        if (reader.counts) assert.deepEqual([reader.scope(), reader.unsaved()], ['readonly', 1]);
      });
    }
  } finally {
    await later.stop();
  }
});

for (const [name, connect] of Object.entries(clients)) {
  const join = (person, board = cafe.board) => connect(cafe.server.base, board, person.token);
  const pair = () => cafe.mates.slice(0, 2).map(person => join(person));

  describe(name, () => {
    test(`Y-1 ${name} joins with a token, and both sides see what either writes`, () =>
      using(pair(), async (a, b) => {
        await until('both are synced', () => a.synced() && b.synced());
        const id = writeNote(a.document, '已有：三个想法 😀', 1);
        await until('the other sees it', () => wordsOf(b.document, id) === '已有：三个想法 😀');
        b.document.getMap('notes').get(id).get('text').insert(3, '（续）');
        await until('and back', () => wordsOf(a.document, id) === '已有：（续）三个想法 😀');
        a.document.getText('handover.so_far').insert(0, `${name} `);
        await until('the handover too', () => b.document.getText('handover.so_far').toString().startsWith(name));
        // The server itself, which reads it with another library.
        await until('the server reads the same', async () => JSON.stringify(await cafe.read()).includes('已有：（续）三个想法 😀'));
      }));

    test(`Y-2 ${name} shows who is there, under the name the server knows, until they leave`, () =>
      using(pair(), async (a, b) => {
        await until('both are synced', () => a.synced() && b.synced());
        a.awareness.setLocalStateField('user', { name: 'the boss', color: '#c96' });
        const [mine, theirs] = cafe.mates.slice(0, 2).map(person => person.name);
        const seen = await until('the colour that they chose', () => {
          const state = b.awareness.getStates().get(a.document.clientID);
          return state?.user?.color === '#c96' && state;
        });
        assert.deepEqual([seen.user.name, seen.user.role], [mine, 'participant'], 'and the name that the server knows');
        b.awareness.setLocalStateField('user', { name: theirs });
        // Quickly one after the other, as a caret moves: what comes back from the server never undoes what was said since.
        for (let index = 0; index <= 30; index += 1) b.awareness.setLocalStateField('cursor', { index });
        await until('the caret', () => a.awareness.getStates().get(b.document.clientID)?.cursor?.index === 30, 5);
        await until('one\'s own state is as one left it', () => b.awareness.getLocalState().cursor.index === 30, 1);
        assert.ok(users(a).includes(theirs));
        a.close();
        a.closed = true;
        await until('nobody but oneself', () => !users(b).includes(mine) && b.awareness.getStates().size === 1);
      }));

    test(`Y-3 ${name} goes offline and back, and what both wrote meanwhile arrives`, () =>
      using(pair(), async (a, b) => {
        await until('both are synced', () => a.synced() && b.synced());
        const shared = writeNote(a.document, '在线', 3);
        await until('the other sees it', () => wordsOf(b.document, shared) === '在线');
        a.offline();
        await until('the connection is gone', () => !a.connected());
        const alone = writeNote(a.document, '离线写的', 4);
        a.document.getMap('notes').get(shared).get('text').insert(2, '，又离线');
        b.document.getMap('notes').get(shared).get('text').insert(0, '一直');
        await new Promise(resolve => setImmediate(resolve));
        assert.equal(wordsOf(b.document, alone), undefined, 'offline is offline');
        a.online();
        await until('the offline note arrives', () => wordsOf(b.document, alone) === '离线写的');
        for (const client of [a, b]) await until('both edits', () => wordsOf(client.document, shared) === '一直在线，又离线');
        await until('all is saved', () => a.saved() && b.saved());
      }));

    test(`Y-4 ${name} is refused at a table they were not seated at, and with a nonsense token`, async () => {
      await using([join(cafe.people[0], cafe.elsewhere)], async stranger => {
        await until('the refusal', () => stranger.refusal !== undefined);
        assert.match(stranger.refusal, /not_seated|4403/);
        assert.equal(stranger.synced(), false);
      });
      // Management reads when there is a plan to read, and not while people are still thinking.
      await using([join({ token: cafe.review_token })], async reviewer => {
        await until('the refusal', () => reviewer.refusal !== undefined);
        assert.match(reviewer.refusal, /not_open|4403/);
      });
      await using([join({ token: 'nonsense' })], async nobody => {
        await until('the refusal', () => nobody.refusal !== undefined);
        assert.match(nobody.refusal, /bad_token|4401/);
      });
    });

    test(`Y-4 ${name} may read but not write while the boards are locked`, () =>
      using(pair(), async (a, b) => {
        await until('both are synced', () => a.synced() && b.synced());
        const [early, tooLate] = [`${name} 锁之前`, `${name} 锁之后`];
        const id = writeNote(a.document, early, 5);
        await until('the other sees it', () => wordsOf(b.document, id) === early);
        await until('it is acknowledged', () => a.saved() && b.saved());
        await cafe.command({ type: 'lock_boards', locked: true });
        try {
          const warned = [];
          const warn = console.warn;
          console.warn = (...words) => warned.push(words.join(' '));
          const refused = await cafe.figure('tablehop_refusals_total{reason="read_only"}');
          const late = writeNote(a.document, tooLate, 6);
          await until('the refusal is counted', async () => (await cafe.figure('tablehop_refusals_total{reason="read_only"}')) > refused);
          if (a.counts) {
            assert.equal(a.unsaved(), 1, 'never said to be saved');
          } else {
            await until('the client is told', () => warned.some(words => words.includes('not_taken')));
          }
          console.warn = warn;
          assert.equal(wordsOf(b.document, late), undefined);
          assert.ok(!JSON.stringify(await cafe.read()).includes(tooLate));
          // Somebody who comes now is told at once, and reads.
          await using([join(cafe.mates[0])], async reader => {
            await until('the board', () => wordsOf(reader.document, id) === early);
            if (reader.counts) {
              assert.equal(reader.scope(), 'readonly');
              await until('nothing is unsaved', () => reader.unsaved() === 0);
            }
          });
        } finally {
          await cafe.command({ type: 'lock_boards', locked: false });
        }
        // Nothing was lost: unlocked, it is taken on the next occasion.
        a.offline();
        await until('the connection is gone', () => !a.connected());
        a.online();
        await until('the late note arrives', () => [...b.document.getMap('notes').values()].some(note => note.get('text').toString() === tooLate));
        await until('and is saved', () => a.saved());
      }));

    test(`Y-5 ${name} counts what is not yet saved, exactly, down to nothing`, () =>
      using(pair(), async (a, b) => {
        await until('both are synced', () => a.synced() && b.synced());
        await until('nothing is unsaved', () => a.saved() && b.saved());
        const text = a.document.getText('handover.open');
        const length = text.length;
        if (a.counts) {
          const counts = [];
          a.provider.on('unsyncedChanges', ({ number }) => counts.push(number));
          for (let n = 0; n < 50; n += 1) text.insert(text.length, String(n % 10));
          assert.equal(a.unsaved(), 50, 'one for each edit, before any answer');
          await until('all acknowledged', () => a.unsaved() === 0);
          assert.equal(Math.max(...counts), 50);
          assert.deepEqual(counts.slice(-50), Array.from({ length: 50 }, (_, n) => 49 - n), 'one answer for each');
        } else {
          for (let n = 0; n < 50; n += 1) text.insert(text.length, String(n % 10));
        }
        await until('the other has all', () => b.document.getText('handover.open').length === length + 50);
        // Others' edits are nothing of one's own to be saved.
        if (b.counts) assert.equal(b.unsaved(), 0);
        // Saved is on the disk: the server gets no chance to write anything more.
        await until('all is saved', () => a.saved());
        await cafe.server.kill();
        await cafe.server.restart();
        await until('both are back', () => a.synced() && b.synced() && a.saved() && b.saved());
        assert.ok(JSON.stringify(await cafe.read()).includes('0123456789'.repeat(5)));
      }));
  });
}
