// An editor that nobody here wrote, CodeMirror 6 with y-codemirror.next, bound to a board by each client in each version. Only its view is
// left out, since it wants a page; tests/browser/editor.spec.ts has one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { EditorState } from '@codemirror/state';
import { ySync, YSyncConfig, ySyncFacet } from 'y-codemirror.next';
import { Cafe, clients, hearing, times, until, using, wordsOf, writeNote } from './clients.mjs';

// Does with a transaction what CodeMirror's view does, but for drawing it: takes the new state, and tells the binding.
class Editor {
  constructor(text) {
    this.state = EditorState.create({ doc: text.toString(), extensions: ySyncFacet.of(new YSyncConfig(text)) });
    this.binding = ySync.create(this);
  }

  dispatch(...specs) {
    const transaction = this.state.update(...specs);
    this.state = transaction.state;
    const { docChanged, changes, state } = transaction;
    this.binding.update({ view: this, state, docChanged, changes, transactions: [transaction] });
  }

  // As keys do: at the caret, in place of what is selected.
  type(words) {
    this.dispatch(this.state.replaceSelection(words));
  }

  select(anchor, head = anchor) {
    this.dispatch({ selection: { anchor, head } });
  }

  get words() {
    return this.state.doc.toString();
  }
}

let cafe;
before(async () => (cafe = await Cafe.open()));
after(() => cafe.stop());

const breath = () => new Promise(resolve => setTimeout(resolve, 5));

for (const [name, connect] of Object.entries(clients)) {
  const join = person => connect(cafe.server.base, cafe.board, person.token);
  const editorOf = (client, id) => new Editor(client.document.getMap('notes').get(id).get('text'));

  test(`Y-7 ${name} binds CodeMirror, which is written in from both sides`, () =>
    using(cafe.mates.slice(0, 2).map(join), async (a, b) => {
      await until('both are synced', () => a.synced() && b.synced());
      const id = writeNote(a.document, `${name} 😀\n报修`, 1);
      await until('the other sees it', () => wordsOf(b.document, id));
      const [one, other] = [a, b].map(client => editorOf(client, id));
      const bothHold = words => until(words, () => one.words === words && other.words === words);
      // Both at once, letter by letter, at either end: nobody's caret jumps.
      one.select(one.words.length);
      other.select(0);
      for (const n of [0, 1, 2, 3, 4]) {
        one.type('附完工照片'[n]);
        other.type('业主说：'[n] ?? ' ');
        await breath();
      }
      await bothHold(`业主说： ${name} 😀\n报修附完工照片`);
      // Something selected is typed over, across lines, in what the other wrote.
      const start = other.words.indexOf('😀');
      other.select(start, start + '😀\n报修'.length);
      other.type('当天');
      await bothHold(`业主说： ${name} 当天附完工照片`);
      a.offline();
      await until('the connection is gone', () => !a.connected());
      one.type('（离线写的）');
      other.type('下午');
      await until('the server has the other\'s', async () => times('当天下午', await cafe.read()) > 0);
      a.online();
      const words = `业主说： ${name} 当天下午附完工照片（离线写的）`;
      await bothHold(words);
      await until('the server reads the same', async () => times(words, await cafe.read()) === 1);
    }));

  test(`Y-7 ${name} binds CodeMirror where one may only read: what is typed there stays there, and others' words arrive`, () =>
    using([join({ token: cafe.facilitator_token })], async facilitator => {
      await until('synced', () => facilitator.synced());
      const id = writeNote(facilitator.document, `${name} 请看`, 1);
      await until('the server has it', async () => (await cafe.read()).notes.some(note => note.id === id));
      await cafe.command({ type: 'lock_boards', locked: true });
      try {
        await using(cafe.mates.slice(0, 2).map(join), (reader, witness) =>
          hearing(async isTold => {
            await until('both read', () => [reader, witness].every(client => wordsOf(client.document, id)));
            const [one, other, writing] = [reader, witness, facilitator].map(client => editorOf(client, id));
            const refused = await cafe.refusals();
            one.select(one.words.length);
            for (const letter of '偷偷写') one.type(letter);
            await until('each is refused', async () => (await cafe.refusals()) >= refused + 3);
            if (reader.counts) assert.deepEqual([reader.scope(), reader.unsaved()], ['readonly', 3]);
            else await until('the client is told', isTold);
            writing.select(0);
            writing.type('大家');
            await until('others\' words arrive', () => one.words === `大家${name} 请看偷偷写` && other.words === `大家${name} 请看`);
            await until('and are stored', async () => times(`大家${name} 请看`, await cafe.read()) === 1);
            assert.equal(writing.words, `大家${name} 请看`);
            assert.equal(times('偷偷写', await cafe.read()), 0);
          }),
        );
      } finally {
        await cafe.command({ type: 'lock_boards', locked: false });
      }
    }));
}
