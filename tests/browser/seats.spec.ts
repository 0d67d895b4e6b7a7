// Going from table to table, and going away: nobody is lost, and nothing half written lands on the wrong board.
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { device, join, laptop, phone, saved, Server, until, watch, write } from './cafe.ts';
import { type Language, text } from './texts.ts';

let server: InstanceType<typeof Server>;
let cafe: { id: string; join_code: string; facilitator_token: string };
const open: BrowserContext[] = [];
const errors: string[] = [];

test.beforeEach(async () => {
  errors.length = 0;
  server = await Server.start();
  cafe = await server.create({
    title: 'Seats',
    language: 'en',
    tables: [
      { topic: 'A', question: 'What does the table itself ask?' },
      { topic: 'B', question: 'What does the table itself ask?' },
    ],
    rounds: [{ minutes: 60, question: 'What does the round ask of every table? '.repeat(4).trim() }, { minutes: 60 }, { minutes: 60 }],
    settings: { seats_per_table: 2, dots: 3, moving_seconds: 0, show_authors: true },
  });
  await command({ type: 'go_to', phase: 'lobby' });
});

test.afterEach(async () => {
  await Promise.all(open.splice(0).map(context => context.close()));
  await server.stop();
  expect(errors).toEqual([]);
});

const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
const view = () => server.view(cafe.id, cafe.facilitator_token);

async function guest(browser: Browser, language: Language, name: string, size = phone): Promise<Page> {
  const context = await device(browser, language, size, size === phone);
  open.push(context);
  const page = await context.newPage();
  watch(page, errors);
  await join(page, language, server.base, cafe.join_code, name);
  return page;
}

const there = (page: Page) => page.locator('.moving-there').click();
const composer = (page: Page, language: Language) => page.getByRole('form', { name: text(language, 'board.compose') });
const wide = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

// Moves a person to the other table in the round that is on, and returns its number.
async function moved(page: Page, name: string): Promise<number> {
  const people = (await view()).part.people as { id: string; name: string; table: number }[];
  const one = people.find(person => person.name === name)!;
  const table = one.table === 1 ? 2 : 1;
  await command({ type: 'move_person', participant: one.id, table });
  await there(page);
  await expect(page.locator('.cafe-bar .table-badge').first()).toContainText(String(table));
  return table;
}

for (const language of ['zh-CN', 'en'] as Language[]) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`P-13: whoever has left is in again from the list, by a reload and by the link in ${language}`, async ({ browser }) => {
    const page = await guest(browser, language, 'Li');
    await guest(browser, language, 'Bo');
    await command({ type: 'next_round' });
    await there(page);
    const address = page.url();
    const here = async () => (await view()).part.people.some((person: { name: string }) => person.name === 'Li');
    const leave = async () => {
      await page.getByRole('button', { name: t('cafe.menu'), exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: t('cafe.leave'), exact: true }).click();
      await page.getByRole('dialog', { name: t('cafe.leave_title') }).getByRole('button', { name: t('cafe.leave'), exact: true }).click();
      await expect(page.getByRole('heading', { name: t('home.known') })).toBeVisible();
      expect(await here()).toBe(false);
    };
    const seated = async () => {
      const button = page.locator('.moving-there');
      await expect(button.or(composer(page, language)).first()).toBeVisible();
      if (await button.isVisible()) await button.click();
      await expect(composer(page, language)).toBeVisible();
      expect(await here()).toBe(true);
    };
    const ways: (() => Promise<unknown>)[] = [
      () => page.locator('.known-link').first().click(),
      () => page.goto(address),
      () => page.goto(`${server.base}/j/${cafe.join_code}`),
    ];
    for (const way of ways) {
      await leave();
      await way();
      await seated();
    }
    // Another tab of the same device that stood open offers the way back.
    const second = await page.context().newPage();
    watch(second, errors);
    await second.goto(address);
    await expect(composer(second, language)).toBeVisible();
    await leave();
    await second.getByRole('button', { name: t('cafe.come_back'), exact: true }).click();
    await expect(composer(second, language)).toBeVisible();
    expect(await here()).toBe(true);
    expect((await view()).people_count).toBe(2);
  });

  test(`P-14: half a note stays with its table until its writer says where it goes in ${language}`, async ({ browser }) => {
    const page = await guest(browser, language, 'Li');
    await guest(browser, language, 'Bo');
    await command({ type: 'next_round' });
    await there(page);
    const first = (await view()).part.people.find((person: { name: string }) => person.name === 'Li').table as number;
    const field = composer(page, language).getByRole('textbox');
    await field.fill('Half a thought');
    const second = await moved(page, 'Li');
    await expect(field).toHaveValue('');
    const line = page.getByText(t('board.begun_at', { n: first, words: '' }).trim(), { exact: false }).first();
    await expect(line).toBeVisible();
    await write(page, language, 'At the second table');
    // To its own table.
    await page.getByRole('button', { name: t('board.put_at', { n: first }), exact: true }).click();
    await expect(page.getByText(t('board.put_there', { n: first }))).toBeVisible();
    await expect(line).toBeHidden();
    await saved(page, language);
    const notes = async (table: number) => {
      const all = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
      const found = all.tables.find((found: { number: number }) => found.number === table);
      return found.notes.map((note: { text: string }) => note.text);
    };
    await until('the note is at its table', async () => (await notes(first)).includes('Half a thought'));
    expect(await notes(second)).toEqual(['At the second table']);
    // To this table: into the field, behind what stands there.
    await field.fill('Begun at the second');
    await moved(page, 'Li');
    await page.getByRole('button', { name: t('board.take_here'), exact: true }).click();
    await expect(field).toHaveValue('Begun at the second');
    await page.reload();
    await expect(field).toHaveValue('Begun at the second');
    await moved(page, 'Li');
    await page.getByRole('button', { name: t('board.discard'), exact: true }).click();
    await page.reload();
    await expect(field).toHaveValue('');
    await expect(page.locator('.composer-elsewhere')).toHaveCount(0);
  });

  test(`P-14 P-8: more than a note takes stays in the field, and is not posted, in ${language}`, async ({ browser }) => {
    const page = await guest(browser, language, 'Li');
    await command({ type: 'next_round' });
    await there(page);
    const form = composer(page, language);
    const post = form.getByRole('button', { name: t('board.post') });
    await form.getByRole('textbox').fill('长'.repeat(5_000));
    await expect(page.getByText(t('board.over', { max: 2_000, n: 3_000 }))).toBeVisible();
    await expect(post).toBeDisabled();
    await expect(form.getByRole('textbox')).toHaveValue('长'.repeat(5_000));
    await form.getByRole('textbox').fill('长'.repeat(2_000));
    await post.click();
    await expect(page.locator('.note')).toHaveCount(1);
    // A long word makes no page wider.
    await form.getByRole('textbox').fill(`https://example.com/${'x'.repeat(220)}`);
    expect(await wide(page)).toBeLessThanOrEqual(0);
  });

  test(`P-14 P-8: what is too long where a note stands is kept, said there, and not written in ${language}`, async ({ browser }) => {
    const page = await guest(browser, language, 'Li');
    await command({ type: 'next_round' });
    await there(page);
    await write(page, language, 'Short');
    await saved(page, language);
    const words = async () => {
      const whole = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
      return whole.tables.flatMap((table: { notes: { text: string }[] }) => table.notes.map(note => note.text));
    };
    const note = page.locator('.note');
    const field = note.getByRole('textbox');
    const waits = note.getByRole('button', { name: t('board.waits'), exact: true });
    const said = (n: number) => note.getByText(t('board.too_long', { max: 2_000, n }), { exact: true });
    await note.locator('.note-words').tap();
    await field.fill(`Short${'长'.repeat(3_000)}`);
    await expect(said(1_005)).toBeVisible();
    await expect(field).toHaveValue(`Short${'长'.repeat(3_000)}`);
    // Neither Escape nor a press elsewhere takes it away, and a reload does not either.
    await field.press('Escape');
    await composer(page, language).getByRole('textbox').focus();
    await expect(said(1_005)).toBeVisible();
    await page.reload();
    await waits.tap();
    await expect(field).toHaveValue(`Short${'长'.repeat(3_000)}`);
    await expect(said(1_005)).toBeVisible();
    expect(await words()).toEqual(['Short']);
    expect(await wide(page)).toBeLessThanOrEqual(0);
    // Shortened, it is written as any other edit.
    await field.fill(`Short${'长'.repeat(1_995)}`);
    await expect(said(1_005)).toBeHidden();
    await saved(page, language);
    await until('it is written', async () => (await words())[0] === `Short${'长'.repeat(1_995)}`);
    // Given up, the field shows what is saved.
    await field.fill('短'.repeat(2_001));
    await expect(said(1)).toBeVisible();
    await note.getByRole('button', { name: t('board.give_up'), exact: true }).tap();
    await expect(said(1)).toBeHidden();
    await expect(field).toHaveValue(`Short${'长'.repeat(1_995)}`);
    await field.press('Escape');
    await expect(field).toBeHidden();
    await expect(waits).toHaveCount(0);
    expect(await words()).toEqual([`Short${'长'.repeat(1_995)}`]);
  });
}

test('P-15: a new table begins at its top, with the handover open, in the list and on the cloth', async ({ browser }) => {
  const language: Language = 'zh-CN';
  const t = (key: string, values = {}) => text(language, key, values);
  // Whoever came first is a host, so the traveller is a third person.
  const pages = [await guest(browser, language, '一'), await guest(browser, language, '二'), await guest(browser, language, '三')];
  await command({ type: 'next_round' });
  for (const page of pages) await there(page);
  const floor = (await view()).part.floor as { id: number; host: string }[];
  const people = (await view()).part.people as { id: string; name: string; table: number }[];
  const hosts = floor.map(table => table.host);
  const traveller = people.findIndex(person => !hosts.includes(person.id));
  const page = pages[['一', '二', '三'].indexOf(people[traveller].name)];
  // Each host fills their table and leaves a handover.
  for (const host of people.filter(person => hosts.includes(person.id))) {
    const desk = pages[['一', '二', '三'].indexOf(host.name)];
    for (let n = 0; n < 14; n += 1) await write(desk, language, `${host.name} 便签 ${n}`);
    await desk.locator('.handover-head').click();
    await desk.locator('.handover-body textarea').first().fill(`${host.name} 交接的话`);
    await saved(desk, language);
  }
  const scroller = page.locator('.board-list-scroll');
  await scroller.evaluate(list => list.scrollTo(0, list.scrollHeight));
  await moved(page, people[traveller].name);
  await expect(page.locator('.note')).toHaveCount(14);
  await expect(page.locator('.handover-body')).toBeVisible();
  await page.waitForTimeout(300);
  expect(await scroller.evaluate(list => list.scrollTop)).toBe(0);
  // What comes in meanwhile takes nobody away from the handover.
  const other = pages[['一', '二', '三'].indexOf(people.find(person => hosts.includes(person.id) && person.table !== people[traveller].table)!.name)];
  await write(other, language, '刚写的');
  await expect(page.locator('.board-unseen')).toBeVisible();
  expect(await scroller.evaluate(list => list.scrollTop)).toBe(0);
  // The cloth has it too, until it is read.
  await page.getByRole('button', { name: t('cafe.as_canvas'), exact: true }).click();
  await expect(page.locator('.canvas-note').first()).toBeVisible();
  await page.getByRole('button', { name: t('board.got_it') }).click();
  await expect(page.locator('.handover-body')).toBeHidden();
  await expect(page.locator('.handover-head')).toBeVisible();
});

test('P-7: on small phones both questions, the words of the head and the button above the keyboard are in sight', async ({ browser }) => {
  const language: Language = 'en';
  const page = await guest(browser, language, 'Li', phone);
  await command({ type: 'next_round' });
  await expect(page.locator('.moving-asks')).toHaveCount(2);
  await there(page);
  const inside = async (selector: string) => {
    const box = (await page.locator(selector).first().boundingBox())!;
    const size = page.viewportSize()!;
    return box.width > 0 && box.y >= 0 && box.y + box.height <= size.height && box.x + box.width <= size.width;
  };
  for (const size of [phone, { width: 320, height: 568 }]) {
    await page.setViewportSize(size);
    await expect(page.locator('.sit-question-words')).toHaveCount(2);
    for (const place of ['.connection-word', '.cafe-hand .button-words', '.composer-post']) expect(await inside(place), place).toBe(true);
    expect(await wide(page)).toBeLessThanOrEqual(0);
  }
  // A long topic is there as a whole, and takes nothing else away.
  const topic = 'Community life, neighbours and getting along';
  for (const table of [1, 2]) await command({ type: 'set_table', table, topic, question: 'What does the table itself ask?' });
  const head = page.locator('.cafe-bar-title');
  await expect(head).toHaveText(topic);
  // Also after a change of tables, with the stripe in the new table's colour.
  await moved(page, 'Li');
  const bar = page.locator('.cafe-bar');
  await expect(bar).toHaveClass(/cafe-bar-table/);
  await expect(bar).not.toHaveCSS('box-shadow', 'none');
  for (const size of [phone, { width: 360, height: 640 }, { width: 320, height: 568 }]) {
    await page.setViewportSize(size);
    expect(await head.evaluate(one => one.scrollWidth - one.clientWidth + one.scrollHeight - one.clientHeight)).toBeLessThanOrEqual(1);
    for (const place of ['.cafe-bar-title', '.connection-word', '.cafe-hand .button-words', '.cafe-bar-time .clock', '.composer-post']) {
      expect(await inside(place), place).toBe(true);
    }
    expect(await wide(page)).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize({ width: 320, height: 300 });
  await composer(page, language).getByRole('textbox').fill('one\ntwo\nthree\nfour\nfive\nsix');
  expect(await inside('.composer-post')).toBe(true);
  await page.setViewportSize(laptop);
});

test('P-7: going on from a note begins as an idea, whatever was written last', async ({ browser }) => {
  const language: Language = 'zh-CN';
  const t = (key: string) => text(language, key);
  const page = await guest(browser, language, '李雷');
  await command({ type: 'next_round' });
  await there(page);
  const form = composer(page, language);
  const kind = (key: string) => form.getByRole('radio', { name: t(`kit.kind_${key}`), exact: true });
  await kind('question').check({ force: true });
  await write(page, language, '为什么');
  await page.locator('.note-reply').first().click();
  await expect(kind('idea')).toBeChecked();
  await write(page, language, '因为');
  await expect(page.locator('.note.kind-idea', { hasText: '因为' })).toBeVisible();
  await expect(kind('question')).toBeChecked();
});

test('C-3: moved in mid-typing again and again, every letter stays on the board on which it was typed', async ({ browser }) => {
  const language: Language = 'zh-CN';
  const page = await guest(browser, language, '李雷', laptop);
  await guest(browser, language, '王芳');
  await command({ type: 'next_round' });
  await there(page);
  let table = (await view()).part.people.find((person: { name: string }) => person.name === '李雷').table as number;
  const typed: { table: number; words: string }[] = [];
  for (let n = 0; n < 12; n += 1) {
    await page.locator('.canvas-new').first().click();
    const field = page.locator('.note textarea');
    await expect(field).toBeFocused();
    // What the field says after each letter; the last is what the page has taken.
    await field.evaluate(one => one.addEventListener('input', () => Object.assign(window, { typed: (one as HTMLTextAreaElement).value })));
    const typing = page.keyboard.type(`${n} 写到一半就被叫走了，手还没有停下来，一直在打字`, { delay: 8 });
    await expect.poll(() => page.evaluate(() => (window as { typed?: string }).typed?.length ?? 0)).toBeGreaterThan(5);
    const people = (await view()).part.people as { id: string; name: string }[];
    const to = table === 1 ? 2 : 1;
    await command({ type: 'move_person', participant: people.find(person => person.name === '李雷')!.id, table: to });
    await typing;
    typed.push({ table, words: (await page.evaluate(() => (window as { typed?: string }).typed))! });
    await page.evaluate(() => Object.assign(window, { typed: '' }));
    await there(page);
    table = to;
  }
  await saved(page, language);
  const whole = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
  for (const number of [1, 2]) {
    const notes = whole.tables.find((found: { number: number }) => found.number === number).notes;
    const words = notes.map((note: { text: string }) => note.text).sort();
    expect(words).toEqual(typed.filter(one => one.table === number).map(one => one.words).sort());
  }
  const finished = typed.filter(one => one.words.endsWith('一直在打字')).length;
  expect(finished, 'most were called away in the middle').toBeLessThan(6);
});
