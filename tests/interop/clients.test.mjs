// Each of the clients of other makers, of each version in use, against a real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as Y from 'yjs';
import { Cafe, clients, hearing, times, until, using, wired, wordsOf, writeNote } from './clients.mjs';

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
    const join = (connect, token) => connect(later.server.base, `${later.id}.harvest`, token);
    const title = client => client.document.getMap('themes').get('t1')?.get('title');
    await using([join(clients['@hocuspocus/provider 4'], later.facilitator_token)], async facilitator => {
      const { document, synced, saved } = facilitator;
      await until('synced', synced);
      const theme = new Y.Map();
      document.transact(() => {
        document.getMap('themes').set('t1', theme);
        for (const [key, value] of Object.entries({ title: new Y.Text('主题'), summary: new Y.Text(), order: 0, deleted: false })) theme.set(key, value);
      });
      await until('saved', saved);
      for (const phase of ['vote', 'plan']) await later.command({ type: 'go_to', phase });
      for (const [name, connect] of Object.entries(clients)) {
        const words = `${name} 改`;
        await using([join(connect, later.review_token)], reader =>
          hearing(async isTold => {
            await until(`${name} reads`, () => title(reader)?.toString() === title(facilitator).toString());
            const refused = await later.refusals();
            title(reader).insert(0, words);
            await until('the edit is refused', async () => (await later.refusals()) > refused);
            if (reader.counts) assert.deepEqual([reader.scope(), reader.unsaved()], ['readonly', 1]);
            else await until('the client is told', isTold);
            // What comes after it arrives, on either side, and it does not.
            title(facilitator).insert(title(facilitator).length, '。');
            await until(`${name} reads on`, () => title(reader).toString() === `${words}${title(facilitator)}`);
            await until('saved', saved);
            assert.equal(times(words, title(facilitator)), 0, 'nobody sees it');
            const stored = await later.export();
            assert.deepEqual([times(title(facilitator).toString(), stored) > 0, times(words, stored)], [true, 0], 'nor has the server');
          }),
        );
      }
    });
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
        const id = writeNote(a.document, `三个想法：${name} 😀`, 1);
        await until('the other sees it', () => wordsOf(b.document, id) === `三个想法：${name} 😀`);
        b.document.getMap('notes').get(id).get('text').insert(5, '（续）');
        const words = `三个想法：（续）${name} 😀`;
        await until('and back', () => wordsOf(a.document, id) === words);
        a.document.getText('handover.so_far').insert(0, `${name} `);
        await until('the handover too', () => b.document.getText('handover.so_far').toString().startsWith(name));
        // The server itself, which reads it with another library.
        await until('the server reads the same', async () => times(words, await cafe.read()) === 1);
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

    test(`Y-2 ${name} is gone for others when its connection ends without a goodbye, and there again when it is back`, () =>
      wired(cafe.server, wire =>
        using([connect(wire.base, cafe.board, cafe.mates[0].token), join(cafe.mates[1])], async (a, b) => {
          const isThere = (who, seenBy) => seenBy.awareness.getStates().has(who.document.clientID);
          await until('both are synced', () => a.synced() && b.synced());
          await until('they see each other', () => isThere(a, b) && isThere(b, a));
          wire.cut();
          wire.forget();
          // Long before the half minute after which the other would take them for gone by itself.
          await until('gone', () => !isThere(a, b), 5);
          await using([join(cafe.mates[1])], async fresh => {
            await until('who comes now sees who is there', () => isThere(b, fresh));
            assert.ok(!isThere(a, fresh), 'and nobody else');
          });
          assert.ok(a.connected(), 'it knows nothing of that, and so took no leave');
          wire.restore();
          await until('back', () => isThere(a, b));
          // y-protocols remembers how far it had heard whom it let go, and the other says nothing new: long before they would anyhow.
          await until('the other, too', () => isThere(b, a), 5);
        }),
      ));

    // These clients send on whatever they hear of the connections of their own person, and of themselves.
    test(`Y-2 ${name} in two tabs of one person is there twice, and falls silent`, () =>
      using([join(cafe.mates[0]), join(cafe.mates[0]), join(cafe.mates[1])], async (one, two, other) => {
        const isThere = who => other.awareness.getStates().has(who.document.clientID);
        const caretOf = (who, seenBy) => seenBy.awareness.getStates().get(who.document.clientID)?.cursor?.index;
        await until('all are there', () => isThere(one) && isThere(two));
        for (let index = 0; index <= 5; index += 1) for (const tab of [one, two]) tab.awareness.setLocalStateField('cursor', { index });
        for (const [tab, seenBy] of [[one, other], [two, other], [one, two], [two, one]]) await until('both carets', () => caretOf(tab, seenBy) === 5);
        let heard = 0;
        other.awareness.on('update', () => (heard += 1));
        // What is said now comes after whatever was still sent to and fro.
        for (let index = 6; index <= 25; index += 1) {
          two.awareness.setLocalStateField('cursor', { index });
          await until('the caret', () => caretOf(two, other) === index && caretOf(two, one) === index);
        }
        assert.ok(heard <= 25, `it heard ${heard} times of twenty moves`);
        one.close();
        one.closed = true;
        await until('one is gone', () => !isThere(one));
        two.awareness.setLocalStateField('cursor', { index: 50 });
        await until('the other goes on', () => caretOf(two, other) === 50);
        assert.ok(!isThere(one), 'and brings nobody back');
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
          await hearing(async isTold => {
            const refused = await cafe.refusals();
            const late = writeNote(a.document, tooLate, 6);
            await until('the refusal is counted', async () => (await cafe.refusals()) > refused);
            if (a.counts) assert.equal(a.unsaved(), 1, 'never said to be saved');
            else await until('the client is told', isTold);
            assert.equal(wordsOf(b.document, late), undefined);
            assert.equal(times(tooLate, await cafe.read()), 0);
          });
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

    test(`Y-4 ${name} reads locked boards on arrival, and what it writes there gets nowhere`, () =>
      using([join({ token: cafe.facilitator_token })], async facilitator => {
        await until('synced', () => facilitator.synced());
        const id = writeNote(facilitator.document, name, 7);
        await until('the server reads it', async () => (await cafe.read()).notes.some(note => note.id === id));
        await cafe.command({ type: 'lock_boards', locked: true });
        try {
          // Once as an edit, and once before anything has arrived: then it goes out with the answer to what the server asks.
          for (const isEarly of [false, true]) {
            const words = `${name} ${isEarly ? '未读先写' : '读后才写'}`;
            const handover = client => client.document.getText('handover.open');
            await using([join(cafe.mates[0]), join(cafe.mates[1])], (reader, other) =>
              hearing(async isTold => {
                const refused = await cafe.refusals();
                if (isEarly) handover(reader).insert(0, words);
                await until('both read', () => [reader, other].every(client => wordsOf(client.document, id)));
                if (!isEarly) handover(reader).insert(0, words);
                await until('the edit is refused', async () => (await cafe.refusals()) > refused);
                if (reader.counts) assert.deepEqual([reader.scope(), reader.saved()], ['readonly', false]);
                else await until('the client is told', isTold);
                // Who may still write does; what comes after it arrives, and it does not.
                const text = facilitator.document.getMap('notes').get(id).get('text');
                text.insert(text.length, '。');
                await until('both read on', () => [reader, other].every(client => wordsOf(client.document, id) === text.toString()));
                for (const client of [facilitator, other]) assert.equal(times(words, handover(client)), 0, 'nobody sees it');
                await using([join(cafe.mates[1])], async fresh => {
                  await until('who comes later reads', () => wordsOf(fresh.document, id) === text.toString());
                  assert.equal(times(words, handover(fresh)), 0, 'nor do they see it');
                });
                assert.equal(times(words, await cafe.read()), 0, 'nor has the server');
              }),
            );
          }
        } finally {
          await cafe.command({ type: 'lock_boards', locked: false });
        }
      }));

    test(`Y-5 ${name} counts what is not yet saved, exactly, down to nothing`, () =>
      wired(cafe.server, wire =>
        using(cafe.mates.slice(0, 2).map(person => connect(wire.base, cafe.board, person.token)), async (a, b) => {
          await until('both are synced', () => a.synced() && b.synced());
          await until('nothing is unsaved', () => a.saved() && b.saved());
          const handover = client => client.document.getText('handover.open');
          const text = handover(a);
          const words = `${name} `.padEnd(50, '0123456789');
          const type = () => [...words].forEach(letter => text.insert(text.length, letter));
          if (a.counts) {
            const counts = [];
            a.provider.on('unsyncedChanges', ({ number }) => counts.push(number));
            type();
            assert.equal(a.unsaved(), 50, 'one for each edit, before any answer');
            await until('all acknowledged', () => a.unsaved() === 0);
            assert.equal(Math.max(...counts), 50);
            assert.deepEqual(counts.slice(-50), Array.from({ length: 50 }, (_, n) => 49 - n), 'one answer for each');
          } else {
            type();
            // Nobody is shown what is not saved; that is all the acknowledgement there is.
            await until('the other has all', () => handover(b).toString() === text.toString());
          }
          // Saved is on the disk: the server gets no chance to write anything more, and nobody to send it again.
          wire.cut();
          await cafe.server.kill();
          await cafe.server.restart();
          assert.equal(times(words, await cafe.read()), 1, 'the server has it from its disk');
          await using([join(cafe.mates[0])], async fresh => {
            await until('synced', () => fresh.synced());
            assert.equal(times(words, handover(fresh)), 1, 'and who was not there reads it');
          });
          // They come back to a server that knows it all, and write on.
          wire.restore();
          text.insert(text.length, '。');
          await until('the other has that', () => handover(b).toString().endsWith(`${words}。`));
          await until('all is saved', () => a.saved() && b.saved());
          // Others' edits are nothing of one's own to be saved.
          if (b.counts) assert.equal(b.unsaved(), 0);
          assert.deepEqual([times(words, handover(b)), times(words, await cafe.read())], [1, 1], 'and nothing twice');
        }),
      ));
  });
}
