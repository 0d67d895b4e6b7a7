// What is typed is never lost, and nobody's typing disturbs another's.
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import * as Y from 'yjs';
import { device, join, laptop, phone, saved, Server, until, watch, write } from './cafe.ts';
import { type Language, text } from './texts.ts';

const language: Language = 'zh-CN';
const t = (key: string, values = {}) => text(language, key, values);

type Cafe = { id: string; join_code: string; facilitator_token: string };

let server: InstanceType<typeof Server>;
let cafe: Cafe;
const open: BrowserContext[] = [];

test.beforeEach(async () => {
  server = await Server.start();
  cafe = await server.create({
    title: '打字',
    language,
    tables: [{ topic: '甲' }, { topic: '乙' }],
    rounds: [{ minutes: 60 }],
    settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
  });
  await server.command(cafe.id, cafe.facilitator_token, { type: 'go_to', phase: 'lobby' });
});

test.afterEach(async () => {
  await Promise.all(open.splice(0).map(context => context.close()));
  await server.stop();
});

// Two people at one table, past the "you are moving" screen.
async function two(browser: import('@playwright/test').Browser, viewport = phone, touch = true): Promise<[Page, Page]> {
  const pages: Page[] = [];
  for (const name of ['李雷', '王芳']) {
    const context = await device(browser, language, viewport, touch);
    open.push(context);
    const page = await context.newPage();
    watch(page, []);
    await join(page, language, server.base, cafe.join_code, name);
    pages.push(page);
  }
  await server.command(cafe.id, cafe.facilitator_token, { type: 'next_round' });
  for (const page of pages) await page.getByRole('button', { name: t('cafe.i_am_here') }).click();
  return pages as [Page, Page];
}

// A tab that is closed while there is no server, and opened again when there is one.
async function closedAndOpenedAgain(page: Page): Promise<Page> {
  const [context, address] = [page.context(), page.url()];
  await page.close();
  await server.restart();
  const again = await context.newPage();
  await again.goto(address);
  return again;
}

test('P-1: a reload without a network loses nothing, and it is sent on return', async ({ browser }) => {
  const [one, other] = await two(browser);
  await write(one, language, '在线写的');
  await saved(one, language);
  await expect(other.getByText('在线写的').first()).toBeVisible();
  await server.kill();
  await write(one, language, '断网写的');
  // Half a note in the composer stays too.
  await one.getByRole('form', { name: t('board.compose') }).getByRole('textbox').fill('写到一半');
  // The page itself comes from a server that is gone, so only what the device keeps can show it again.
  await server.restart();
  await one.reload();
  await expect(one.getByText('断网写的').first()).toBeVisible();
  await expect(one.getByRole('form', { name: t('board.compose') }).getByRole('textbox')).toHaveValue('写到一半');
  await saved(one, language);
  await expect(other.getByText('断网写的').first()).toBeVisible({ timeout: 20_000 });
});

test('P-1: a tab that is closed without a network sends what it kept when it is opened again', async ({ browser }) => {
  const [one, other] = await two(browser);
  await write(one, language, '先写一张');
  await saved(one, language);
  await server.kill();
  await write(one, language, '关掉之前写的');
  const again = await closedAndOpenedAgain(one);
  await expect(again.getByText('关掉之前写的').first()).toBeVisible();
  await saved(again, language);
  await expect(other.getByText('关掉之前写的').first()).toBeVisible({ timeout: 20_000 });
});

test('P-1: what the browser had no time to store when it closed a tab is sent when it is opened again', async ({ browser }) => {
  const [one, other] = await two(browser);
  await write(one, language, '先写一张');
  await saved(one, language);
  await server.kill();
  // A browser that closes a tab throws away what its database has not finished. Here it always does.
  const thrownAway = await one.evaluateHandle(() => {
    const count = { puts: 0 };
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...values: [unknown, IDBValidKey?]) {
      const request = put.apply(this, values);
      this.transaction.abort();
      count.puts += 1;
      return request;
    };
    return count;
  });
  await write(one, language, '来不及存的');
  await write(one, language, '还有一张');
  expect(await thrownAway.evaluate(count => count.puts)).toBeGreaterThanOrEqual(2);
  const again = await closedAndOpenedAgain(one);
  for (const words of ['来不及存的', '还有一张']) await expect(again.getByText(words).first()).toBeVisible();
  await saved(again, language);
  for (const words of ['来不及存的', '还有一张']) {
    await expect(other.getByText(words).first()).toBeVisible({ timeout: 20_000 });
    await expect(other.locator('.note', { hasText: words })).toHaveCount(1);
  }
  // What is on the server's disk is not kept twice.
  await expect.poll(() => again.evaluate(() => Object.keys(localStorage).filter(key => key.startsWith('tablehop.edit/')))).toEqual([]);
});

test('P-1: more than one message may hold was written without a network, and all of it is sent on return', async ({ browser }) => {
  const [one, other] = await two(browser);
  await write(one, language, '先写一张');
  await saved(one, language);
  await server.kill();
  // A frame may have 1 MiB; each of these has 6 KB.
  const notes = 190;
  await one.getByRole('form', { name: t('board.compose') }).evaluate(async (form, notes) => {
    const field = form.querySelector('textarea') as HTMLTextAreaElement;
    const post = form.querySelector('button[type=submit]') as HTMLButtonElement;
    for (let n = 1; n <= notes; n += 1) {
      field.value = `第${n}张${'很长'.repeat(990)}`;
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      await new Promise(requestAnimationFrame);
      post.click();
      await new Promise(requestAnimationFrame);
    }
  }, notes);
  await expect(one.locator('.note')).toHaveCount(notes + 1);
  await server.restart();
  await saved(one, language);
  await expect(other.locator('.note')).toHaveCount(notes + 1, { timeout: 20_000 });
});

test('P-2: two tabs of one person both write, and both are kept', async ({ browser }) => {
  const [one, other] = await two(browser);
  const second = await one.context().newPage();
  await second.goto(one.url());
  const there = second.getByRole('button', { name: t('cafe.i_am_here') });
  await expect(second.getByRole('form', { name: t('board.compose') }).or(there).first()).toBeVisible();
  if (await there.isVisible()) await there.click();
  for (let n = 0; n < 5; n += 1) {
    await write(one, language, `第一个窗口 ${n}`);
    await write(second, language, `第二个窗口 ${n}`);
  }
  await saved(one, language);
  await saved(second, language);
  for (let n = 0; n < 5; n += 1) {
    await expect(other.getByText(`第一个窗口 ${n}`).first()).toBeVisible();
    await expect(other.getByText(`第二个窗口 ${n}`).first()).toBeVisible();
  }
  const view = await server.view(cafe.id, cafe.facilitator_token);
  expect(view.people_count).toBe(2);
});

test('P-6: Enter during composition posts nothing', async ({ browser }) => {
  const [one] = await two(browser, laptop, false);
  // The list with its composer also exists on a laptop.
  await one.getByText(t('cafe.as_list'), { exact: true }).click();
  const form = one.getByRole('form', { name: t('board.compose') });
  const field = form.getByRole('textbox');
  await field.focus();
  const input = await one.context().newCDPSession(one);
  await input.send('Input.imeSetComposition', { text: 'wei', selectionStart: 3, selectionEnd: 3 });
  await field.dispatchEvent('keydown', { key: 'Enter', keyCode: 229, isComposing: true, bubbles: true });
  await input.send('Input.imeSetComposition', { text: '维修', selectionStart: 2, selectionEnd: 2 });
  await input.send('Input.insertText', { text: '维修' });
  await expect(field).toHaveValue('维修');
  await expect(one.locator('.note')).toHaveCount(0);
  await field.press('Enter');
  await expect(one.locator('.note')).toHaveCount(1);
  await expect(one.locator('.note').first()).toContainText('维修');
});

test('B-5: two people type in one note, and both keep their carets', async ({ browser }) => {
  const [one, other] = await two(browser, laptop, false);
  for (const page of [one, other]) await page.getByText(t('cafe.as_canvas'), { exact: true }).click();
  await one.locator('.canvas-cloth, .board-canvas, .canvas').first().dblclick({ position: { x: 500, y: 300 } });
  const mine = one.locator('.note textarea').first();
  await mine.pressSequentially('业主 回访');
  await expect(other.locator('.note').first()).toContainText('业主 回访');
  await other.locator('.canvas-grip').first().click();
  await other.keyboard.press('Enter');
  const theirs = other.locator('.note textarea').first();
  await expect(theirs).toHaveValue('业主 回访');
  // One stands in front, the other at the end; both type at the same time.
  await mine.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(0, 0));
  await theirs.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(area.value.length, area.value.length));
  await Promise.all([
    mine.pressSequentially('请给每位', { delay: 40 }),
    theirs.pressSequentially('当天完成', { delay: 40 }),
  ]);
  for (const field of [mine, theirs]) await expect(field).toHaveValue('请给每位业主 回访当天完成');
  expect(await mine.evaluate((area: HTMLTextAreaElement) => area.selectionStart)).toBe(4);
  expect(await theirs.evaluate((area: HTMLTextAreaElement) => area.selectionStart)).toBe('请给每位业主 回访当天完成'.length);
});

test('B-5: an input method composes on while somebody else writes in the same note', async ({ browser }) => {
  const [one, other] = await two(browser, laptop, false);
  for (const page of [one, other]) await page.getByText(t('cafe.as_canvas'), { exact: true }).click();
  await one.locator('.canvas-cloth, .board-canvas, .canvas').first().dblclick({ position: { x: 500, y: 300 } });
  const mine = one.locator('.note textarea').first();
  await mine.pressSequentially('结尾');
  await expect(other.locator('.note').first()).toContainText('结尾');
  await other.locator('.canvas-grip').first().click();
  await other.keyboard.press('Enter');
  const theirs = other.locator('.note textarea').first();
  await expect(theirs).toHaveValue('结尾');
  await mine.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(area.value.length, area.value.length));
  await mine.focus();
  const input = await one.context().newCDPSession(one);
  await input.send('Input.imeSetComposition', { text: 'hui', selectionStart: 3, selectionEnd: 3 });
  await theirs.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(0, 0));
  await theirs.pressSequentially('最好的');
  await until('their words are stored', async () => (await theirs.inputValue()).startsWith('最好的结尾'));
  // The composition stands as it was: nothing was put into the field under the input method.
  await expect(mine).toHaveValue('结尾hui');
  await input.send('Input.imeSetComposition', { text: '回访', selectionStart: 2, selectionEnd: 2 });
  await input.send('Input.insertText', { text: '回访' });
  await expect(mine).toHaveValue('最好的结尾回访');
  await expect(theirs).toHaveValue('最好的结尾回访');
});

// Frames that a page sends, by their type; `ids` are the client ids under which its edits insert something.
function sent(page: Page) {
  const heard = { edits: 0, ids: new Set<number>() };
  page.on('websocket', socket =>
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string') return;
      const edit = editIn(payload);
      if (!edit) return;
      heard.edits += 1;
      for (const struct of Y.decodeUpdate(edit).structs) heard.ids.add(struct.id.client);
    }),
  );
  return heard;
}

// The update in a numbered edit (docs/wire.md): address, 65, its number, the update.
function editIn(frame: Uint8Array): Uint8Array | undefined {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = frame[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const address = number();
  at += address;
  if (frame.length < 3 || number() !== 65) return undefined;
  number();
  const length = number();
  return frame.subarray(at, at + length);
}

test('P-2: the edits of two tabs go out under different client ids', async ({ browser }) => {
  const [one, other] = await two(browser);
  const context = one.context();
  const address = one.url();
  await one.close();
  // The second tab is opened while the first is still loading, and both from the same stored ids.
  const tabs = [await context.newPage(), await context.newPage()];
  const heard = tabs.map(sent);
  await Promise.all(tabs.map(tab => tab.goto(address)));
  for (let n = 0; n < 3; n += 1) await Promise.all(tabs.map((tab, which) => write(tab, language, `窗口${which}的第${n}张`)));
  for (const tab of tabs) await saved(tab, language);
  expect(heard[0].edits).toBeGreaterThanOrEqual(3);
  expect(heard[1].edits).toBeGreaterThanOrEqual(3);
  expect([...heard[0].ids].filter(id => heard[1].ids.has(id))).toEqual([]);
  for (let n = 0; n < 3; n += 1) for (const which of [0, 1]) await expect(other.getByText(`窗口${which}的第${n}张`).first()).toBeVisible();
});

test('C-4: a tab closed within 50 ms of an edit loses nothing, and never said that it was saved', async ({ browser }) => {
  const [one, other] = await two(browser);
  const context = one.context();
  const address = one.url();
  await write(one, language, '开头');
  await saved(one, language);
  let page = one;
  let unsaved = 0;
  for (const [n, pause] of [0, 5, 20, 50, 50].entries()) {
    const words = `转身就关 ${n}`;
    // A server that holds its breath: nothing can be acknowledged, whatever the page says.
    const holds = n % 2 === 1;
    if (holds) server.child.kill('SIGSTOP');
    await write(page, language, words);
    await new Promise(resolve => setTimeout(resolve, pause));
    const saysSaved = await page.getByText(t('cafe.saved'), { exact: true }).first().isVisible();
    await page.close({ runBeforeUnload: false });
    if (holds) {
      expect(saysSaved, 'not shown as saved while nobody has answered').toBe(false);
      server.child.kill('SIGCONT');
    }
    if (saysSaved) {
      // Then it is on the disk at this very moment.
      await server.kill();
      await server.restart();
      const exported = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
      expect(JSON.stringify(exported)).toContain(words);
    } else {
      unsaved += 1;
    }
    page = await context.newPage();
    await page.goto(address);
    await expect(page.getByText(words).first()).toBeVisible();
    await saved(page, language);
    await expect(other.getByText(words).first()).toBeVisible({ timeout: 20_000 });
    await expect(other.locator('.note', { hasText: words })).toHaveCount(1);
  }
  const exported = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
  const written = exported.tables.flatMap((table: { notes: { text: string }[] }) => table.notes.map(note => note.text));
  expect(written.sort()).toEqual(['开头', ...[0, 1, 2, 3, 4].map(n => `转身就关 ${n}`)].sort());
  expect(unsaved).toBeGreaterThanOrEqual(2);
});

test('W-12: a command whose answer was lost is sent again, and acts once', async ({ browser }) => {
  const [one] = await two(browser);
  const keys: string[] = [];
  let lost = 0;
  await one.route('**/commands', async route => {
    keys.push((await route.request().headerValue('idempotency-key')) ?? '');
    if (lost < 2) {
      // It reaches the server and acts; what it says does not come back.
      lost += 1;
      await route.fetch();
      await route.abort('connectionreset');
    } else {
      await route.continue();
    }
  });
  const before = (await server.view(cafe.id, cafe.facilitator_token)).seq;
  await one.getByRole('button', { name: t('cafe.raise_hand') }).first().click();
  await until('three attempts', () => keys.length === 3);
  await expect(one.getByRole('button', { name: t('cafe.lower_hand') }).first()).toBeVisible();
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^"[0-9a-f]+-[0-9a-f]+"$/);
  expect((await server.view(cafe.id, cafe.facilitator_token)).seq).toBe(before + 1);
});
