// Notes that travel: packed at one table, put down at the next, and their way back to where they were written.
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { accessible, device, join, laptop, phone, saved, Server, until, watch, write } from './cafe.ts';
import { type Language, text } from './texts.ts';

let server: InstanceType<typeof Server>;
let cafe: { id: string; join_code: string; facilitator_token: string };
const open: BrowserContext[] = [];
const errors: string[] = [];

test.beforeEach(async () => {
  errors.length = 0;
  server = await Server.start();
  cafe = await server.create({
    title: 'Bag',
    language: 'en',
    tables: [{ topic: 'A', question: 'Why?' }, { topic: 'B', question: 'What for?' }],
    rounds: [{ minutes: 60 }, { minutes: 60 }, { minutes: 60 }],
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
const there = (page: Page) => page.locator('.moving-there').click();
const people = async () =>
  (await server.view(cafe.id, cafe.facilitator_token)).part.people as { id: string; name: string; table: number }[];

async function guest(browser: Browser, language: Language, name: string, size: typeof phone): Promise<Page> {
  const context = await device(browser, language, size, size === phone);
  open.push(context);
  const page = await context.newPage();
  watch(page, errors);
  await join(page, language, server.base, cafe.join_code, name);
  return page;
}

// Three people, the first round on: whoever does not host travels in this size, and their table's host has written four notes.
async function seated(browser: Browser, language: Language, size: typeof phone) {
  const names = ['Li', 'Bo', 'Mei'];
  const pages = new Map<string, Page>();
  for (const name of names) pages.set(name, await guest(browser, language, name, size));
  await command({ type: 'next_round' });
  for (const page of pages.values()) await there(page);
  const floor = (await server.view(cafe.id, cafe.facilitator_token)).part.floor as { id: number; host: string }[];
  const all = await people();
  const me = all.find(person => floor.every(table => table.host !== person.id))!;
  const host = all.find(person => person.table === me.table && person.id !== me.id)!;
  const other = all.find(person => person.table !== me.table)!;
  const desk = pages.get(host.name)!;
  if (size === laptop) await desk.locator('.sit-switch').getByText(text(language, 'cafe.as_list'), { exact: true }).click();
  for (const words of ['First thought', 'Second thought', 'Third thought', 'Fourth thought']) await write(desk, language, words);
  await saved(desk, language);
  return { page: pages.get(me.name)!, me, desk, host, next: pages.get(other.name)!, other };
}

const note = (page: Page, words: string) => page.locator('.note', { hasText: words });
const bag = (page: Page, language: Language, n: number) =>
  page.getByRole('button', { name: text(language, 'bag.open', { n, max: 3 }), exact: true });

async function press(page: Page, words: string, button: string) {
  await note(page, words).locator('.note-more').click();
  await page.getByRole('dialog').getByRole('button', { name: button, exact: true }).click();
}

for (const [language, size, name] of [['zh-CN', phone, 'a phone'], ['en', laptop, 'a laptop']] as const) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`P-19 P-20: three notes go to the next table, land there with where they are from, and one can be taken back, on ${name} in ${language}`, async ({ browser }) => {
    // A whole day of three people: on a busy machine that takes longer than most tests.
    test.setTimeout(360_000);
    const { page, me, desk, host, next, other } = await seated(browser, language, size);
    const from = t('bag.from_table', { n: me.table });
    const inBag = page.locator('.bag-sign');
    const sheet = page.getByRole('dialog', { name: t('bag.title') });
    const packed = (words: string) => sheet.locator('.bag-note', { hasText: words });

    // Packing. The fourth is told that there is no room, and nothing else changes.
    await expect(page.locator('.note')).toHaveCount(4);
    if (size === laptop) await page.getByRole('button', { name: t('board.fit'), exact: true }).click();
    await expect(page.locator('.bag-button')).toHaveCount(0);
    for (const words of ['First', 'Second', 'Third']) await press(page, words, t('bag.pack'));
    await expect(inBag).toHaveCount(3);
    await press(page, 'Fourth', t('bag.pack'));
    await expect(page.getByText(t('bag.full', { max: 3 }))).toBeVisible();
    await expect(inBag).toHaveCount(3);
    await note(page, 'Second').locator('.note-more').click();
    await expect(page.getByRole('dialog').getByRole('button', { name: t('bag.unpack'), exact: true })).toBeVisible();
    await accessible(page, 'menu of a packed note');
    await page.keyboard.press('Escape');
    // At its own table nothing is put down.
    await bag(page, language, 3).click();
    await expect(sheet.getByText(t('bag.lies_here'))).toHaveCount(3);
    await expect(sheet.getByRole('button', { name: t('bag.put_down_here') })).toHaveCount(0);
    await page.keyboard.press('Escape');

    // What becomes of the notes meanwhile changes no copy; a reload and another tab find the same bag.
    await note(desk, 'First').locator('.note-words').click();
    await desk.locator('.note').getByRole('textbox').fill('Quite another thought');
    await desk.locator('.note').getByRole('textbox').press('Escape');
    await press(desk, 'Second', t('board.take_away'));
    await saved(desk, language);
    await expect(note(page, 'Quite another thought').locator('.bag-sign')).toBeVisible();
    await page.reload();
    await expect(bag(page, language, 3)).toBeVisible();
    const tab = await page.context().newPage();
    watch(tab, errors);
    await tab.goto(page.url());
    await press(tab, 'Third', t('bag.unpack'));
    await expect(bag(page, language, 2)).toBeVisible();
    await press(tab, 'Third', t('bag.pack'));
    await expect(bag(page, language, 3)).toBeVisible();
    await tab.close();

    // The change: said on the way, and once, beneath the handover.
    await command({ type: 'end_round' });
    await expect(bag(page, language, 3), 'also when the round is over').toBeVisible();
    await command({ type: 'next_round' });
    await expect(page.locator('.moving-carry')).toHaveText(t('bag.carry', { n: 3 }));
    // It goes by itself, too.
    for (const one of [page, desk, next]) await expect(one.locator('.moving')).toHaveCount(0);
    expect((await people()).find(person => person.id === me.id)!.table).toBe(other.table);
    const line = page.locator('.bag-carrying');
    await expect(line).toContainText(t('bag.carry', { n: 3 }));
    await accessible(page, 'arrived');
    await line.getByRole('button', { name: t('bag.look'), exact: true }).click();
    await expect(sheet.locator('.bag-note')).toHaveCount(3);
    await expect(packed('First thought')).toContainText(`${from} · ${host.name}`);
    await accessible(page, 'the bag');

    // Where nobody may write it says why, and keeps the note.
    await command({ type: 'lock_boards', locked: true });
    await expect(next.locator('.board-locked').or(next.locator('.canvas')).first()).toBeVisible();
    await until('the page knows', async () => (await page.locator('.composer, .canvas-new').count()) === 0);
    await packed('First thought').getByRole('button', { name: t('bag.put_down_here') }).click();
    await expect(page.getByText(t('bag.locked'))).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(bag(page, language, 3)).toBeVisible();
    await command({ type: 'lock_boards', locked: false });
    await expect(page.locator('.composer, .canvas-new').first()).toBeVisible();

    // Without a network: down, back into the bag with one press, and down again.
    await saved(page, language);
    await server.kill();
    const down = async (words: string) => {
      await page.locator('.bag-button').click();
      await packed(words).getByRole('button', { name: t('bag.put_down_here') }).click();
      await expect(sheet).toBeHidden();
    };
    await down('First thought');
    await expect(note(page, 'First thought').locator('.note-from')).toHaveText(`${from} · ${host.name}`);
    await expect(bag(page, language, 2)).toBeVisible();
    await page.locator('.bag-regret').getByRole('button', { name: t('board.undo'), exact: true }).click();
    await expect(note(page, 'First thought')).toHaveCount(0);
    await expect(bag(page, language, 3)).toBeVisible();
    await down('First thought');
    await down('Second thought');
    await expect(page.locator('.note')).toHaveCount(2);
    await server.restart();
    await saved(page, language);
    await expect(bag(page, language, 1)).toBeVisible();
    await page.reload();
    await expect(bag(page, language, 1)).toBeVisible();
    await expect(line).toHaveCount(0);
    await expect(note(page, 'First thought').locator('.note-origin')).toContainText(me.name);
    await accessible(page, 'landed');

    // The table goes on from it.
    await expect(note(next, 'First thought').locator('.note-from')).toHaveText(`${from} · ${host.name}`);
    await note(next, 'First thought').locator('.note-reply').click();
    await expect(next.locator('.composer-quote, .canvas-note-editing').first()).toBeVisible();

    // What is left behind leaves nothing but the note where it lay.
    await bag(page, language, 1).click();
    await packed('Third thought').getByRole('button', { name: t('bag.leave_behind') }).click();
    await expect(page.locator('.bag-button')).toHaveCount(0);
    await page.locator('.bag-regret').getByRole('button', { name: t('board.undo'), exact: true }).click();
    await expect(bag(page, language, 1)).toBeVisible();

    // What others put into the device's storage is no bag, and stops nothing.
    const key = await page.evaluate(() => Object.keys(localStorage).find(key => key.startsWith('tablehop.bag.'))!);
    for (const nonsense of ['{', '[1,{"text":3},null]', `[{"text":"${'x'.repeat(50_000)}","kind":"idea","from":{"note":{"table":1,"note":"a"}}}]`]) {
      await page.evaluate(([key, nonsense]) => localStorage.setItem(key, nonsense), [key, nonsense]);
      await page.reload();
      await expect(page.locator('.note')).not.toHaveCount(0);
      await expect(page.locator('.bag-button')).toHaveCount(0);
    }

    // From the export back to the first words, and to the one whose note was taken away meanwhile.
    const whole = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
    const notes = (table: number) => whole.tables.find((found: { number: number }) => found.number === table).notes as Exported[];
    for (const [words, start, deleted] of [['First thought', 'Quite another thought', false], ['Second thought', 'Second thought', true]] as const) {
      const landed = notes(other.table).filter(one => one.text === words && !one.deleted);
      expect(landed.map(one => one.author)).toEqual([me.name]);
      const origin = landed[0].carried_from!;
      expect([origin.table, origin.author, origin.found, origin.deleted]).toEqual([me.table, host.name, true, deleted]);
      expect(notes(me.table).find(one => one.id === origin.note)!.text).toBe(start);
    }

    // Afterwards every screen says so, and the plan leads back.
    await command({ type: 'end_round' });
    await command({ type: 'go_to', phase: 'gallery' });
    if (size === phone) await page.locator('.gallery-tab').nth(other.table - 1).click();
    await expect(note(page, 'First thought').locator('.note-from').first()).toHaveText(`${from} · ${host.name}`);
    await command({ type: 'go_to', phase: 'harvest' });
    const stage = await device(browser, language, laptop);
    open.push(stage);
    const console = await stage.newPage();
    watch(console, errors);
    await console.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
    await expect(note(console, 'Second thought').locator('.note-from')).toHaveText(`${from} · ${host.name} · ${t('bag.taken_off')}`);
    await console.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
    await console.locator('.theme').last().getByRole('textbox').first().fill('Theme');
    const placed = console.locator('.placed', { hasText: 'First thought' }).filter({ has: console.locator('.note-from') });
    await placed.focus();
    await console.keyboard.press('1');
    await expect(console.locator('.theme').locator(placed)).toBeVisible();
    await until('it lies in the theme', async () => {
      const { themes } = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
      return themes[0]?.notes.some((one: { text: string }) => one.text === 'First thought');
    });
    await command({ type: 'go_to', phase: 'vote' });
    await command({ type: 'close_vote' });
    await command({ type: 'go_to', phase: 'plan' });
    await console.getByRole('button', { name: t('plan.make') }).first().click();
    const source = console.locator('.source', { hasText: 'First thought' }).filter({ has: console.locator('.note-from') });
    await expect(source.locator('.note-from')).toHaveText(`${from} · ${host.name}`);
    await source.locator('.source-open').click();
    const dialog = console.getByRole('dialog');
    await expect(dialog.locator('.wall-marked')).toContainText('First thought');
    await dialog.locator('.wall-marked').getByRole('button', { name: `${from} · ${host.name}`, exact: true }).click();
    await expect(dialog.locator('.wall-marked')).toContainText('Quite another thought');
  });
}

type Exported = {
  id: string;
  text: string;
  author: string;
  deleted: boolean;
  carried_from: { table: number; note: string; author: string; found: boolean; deleted: boolean } | null;
};
