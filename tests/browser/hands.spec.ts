// The same things with a mouse, a finger and the keyboard alone: the canvas, the harvest, joining and writing.
import { type Browser, type BrowserContext, expect, type Locator, type Page, test } from '@playwright/test';
import { device, Guests, join, laptop, phone, saved, Server, until, watch, write } from './cafe.ts';
import { type Language, text } from './texts.ts';

type Cafe = { id: string; join_code: string; facilitator_token: string };

let server: InstanceType<typeof Server>;
let cafe: Cafe;
const open: BrowserContext[] = [];
const errors: string[] = [];

test.beforeEach(async () => {
  errors.length = 0;
  server = await Server.start();
  cafe = await server.create({
    title: 'Hands',
    language: 'en',
    tables: [{ topic: 'A' }, { topic: 'B' }],
    rounds: [{ minutes: 60 }],
    settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
  });
  await command({ type: 'go_to', phase: 'lobby' });
});

test.afterEach(async () => {
  await Promise.all(open.splice(0).map(context => context.close()));
  await server.stop();
  expect(errors).toEqual([]);
});

const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);

async function page(browser: Browser, language: Language, viewport = laptop, touch = false): Promise<Page> {
  const context = await device(browser, language, viewport, touch);
  open.push(context);
  const page = await context.newPage();
  watch(page, errors);
  return page;
}

// Presses Tab until something has the focus, as somebody without a mouse does.
async function tabTo(page: Page, there: Locator) {
  for (let n = 0; n < 60; n += 1) {
    if (await there.evaluateAll(found => found.some(element => element === document.activeElement))) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard does not reach ${there}`);
}

// The middle of something that can be seen.
async function middle(found: Locator): Promise<[number, number]> {
  const box = await found.boundingBox();
  if (!box) throw new Error(`${found} cannot be seen`);
  return [box.x + box.width / 2, box.y + box.height / 2];
}

async function drag(page: Page, from: [number, number], to: [number, number]) {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 5 });
  await page.mouse.move(...to, { steps: 5 });
  await page.mouse.up();
}

for (const language of ['zh-CN', 'en'] as Language[]) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`P-7: joining, taking a seat and writing with the keyboard alone in ${language}`, async ({ browser }) => {
    const guest = await page(browser, language);
    await guest.goto(server.base);
    await tabTo(guest, guest.getByLabel(t('home.code'), { exact: true }));
    await guest.keyboard.type(cafe.join_code);
    await guest.keyboard.press('Enter');
    const name = guest.getByLabel(t('join.name'), { exact: false }).first();
    await expect(name).toBeVisible();
    await tabTo(guest, name);
    await guest.keyboard.type('Li');
    await guest.keyboard.press('Enter');
    await guest.waitForURL(/\/w\//);
    await command({ type: 'next_round' });
    await expect(guest.locator('.moving-there')).toBeFocused();
    await guest.keyboard.press('Enter');
    await tabTo(guest, guest.locator('.canvas-new').first());
    await guest.keyboard.press('Enter');
    await expect(guest.locator('.note textarea')).toBeFocused();
    await guest.keyboard.type('By hand');
    await guest.keyboard.press('Escape');
    await expect(guest.locator('.canvas-note')).toContainText('By hand');
    // Back at the note: arrows move it, and Alt with an arrow makes it wider.
    const note = guest.locator('.canvas-note');
    await expect(note.locator('.canvas-grip')).toBeFocused();
    const place = () => note.evaluate((note: HTMLElement) => [note.style.transform, note.style.width]);
    const [before, width] = await place();
    await guest.keyboard.press('ArrowRight');
    await expect.poll(async () => (await place())[0]).not.toBe(before);
    await guest.keyboard.press('Alt+ArrowRight');
    await expect.poll(async () => (await place())[1]).not.toBe(width);
    await saved(guest, language);
  });
}

test('P-7: a note is dragged, resized and zoomed, and the other sees where it lies', async ({ browser }) => {
  const [one, other] = [await page(browser, 'zh-CN'), await page(browser, 'en')];
  await join(one, 'zh-CN', server.base, cafe.join_code, '李雷');
  await join(other, 'en', server.base, cafe.join_code, 'Bo');
  await command({ type: 'next_round' });
  for (const page of [one, other]) await page.locator('.moving-there').click();
  await one.locator('.canvas-new').first().click();
  await one.keyboard.type('拖动');
  await one.keyboard.press('Escape');
  const [mine, theirs] = [one.locator('.canvas-note'), other.locator('.canvas-note')];
  await expect(theirs).toContainText('拖动');
  const place = (note: Locator) => note.evaluate((note: HTMLElement) => [note.style.transform, note.style.width]);
  const before = await place(theirs);
  const [x, y] = await middle(mine);
  await drag(one, [x, y], [x + 180, y - 120]);
  await expect.poll(async () => (await place(theirs))[0]).not.toBe(before[0]);
  await expect.poll(async () => (await place(theirs))[0]).toBe((await place(mine))[0]);
  const [rx, ry] = await middle(mine.locator('.canvas-resize'));
  await drag(one, [rx, ry], [rx + 90, ry]);
  await expect.poll(async () => parseFloat((await place(theirs))[1])).toBeGreaterThan(parseFloat(before[1]) + 60);
  // Zoom is each one's own.
  const zoom = one.locator('.canvas-zoom');
  const seen = await other.locator('.canvas-zoom').innerText();
  await expect(zoom).toHaveText('100%');
  await one.getByRole('button', { name: text('zh-CN', 'board.zoom_in'), exact: true }).click();
  await expect(zoom).toHaveText('125%');
  await one.mouse.move(x, y);
  await one.keyboard.down('Control');
  await one.mouse.wheel(0, 60);
  await one.keyboard.up('Control');
  await expect(zoom).not.toHaveText('125%');
  await expect(other.locator('.canvas-zoom')).toHaveText(seen);
  await zoom.click();
  await expect(zoom).toHaveText('100%');
});

test('P-7: a phone writes in the list, sees the canvas, and comes back', async ({ browser }) => {
  const language: Language = 'zh-CN';
  const guest = await page(browser, language, phone, true);
  await join(guest, language, server.base, cafe.join_code, '梅姐');
  await command({ type: 'next_round' });
  await guest.locator('.moving-there').tap();
  await write(guest, language, '列表里写的');
  await guest.getByRole('button', { name: text(language, 'cafe.as_canvas'), exact: true }).tap();
  await expect(guest.locator('.canvas-note')).toContainText('列表里写的');
  await guest.locator('.canvas-new').nth(1).tap();
  await guest.keyboard.type('画布上写的');
  await guest.getByRole('button', { name: text(language, 'cafe.as_list'), exact: true }).tap();
  await expect(guest.locator('.canvas')).toHaveCount(0);
  for (const words of ['列表里写的', '画布上写的']) await expect(guest.getByText(words).first()).toBeVisible();
  await saved(guest, language);
});

test('P-7: the harvest is sorted by dragging and by keyboard', async ({ browser }) => {
  const language: Language = 'en';
  const t = (key: string, values = {}) => text(language, key, values);
  const guests = new Guests(server, cafe.join_code, { guests: 3, language, notes: 2, pace: 50, seed: 5 });
  await until('3 people', async () => (await server.view(cafe.id, cafe.facilitator_token)).people_count === 3);
  await command({ type: 'next_round' });
  await until('6 notes', () => guests.wrote.length >= 6);
  guests.stop();
  await command({ type: 'end_round' });
  for (const phase of ['gallery', 'harvest']) await command({ type: 'go_to', phase });
  const host = await page(browser, language);
  await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
  for (const title of ['First', 'Second']) {
    await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
    await host.locator('.theme').last().getByRole('textbox').first().fill(title);
  }
  const unplaced = host.locator('.unplaced .placed');
  await expect(unplaced.nth(1)).toBeVisible();
  const inTheme = (n: number, key: string) => host.locator('.theme').nth(n).locator(`[data-note="${key}"]`);

  const dragged = (await unplaced.first().getAttribute('data-note'))!;
  await drag(host, await middle(unplaced.first()), await middle(host.locator('.theme').nth(1).locator('.theme-notes')));
  await expect(inTheme(1, dragged)).toBeVisible();

  // A digit puts a note away and goes on to the next; Enter asks where to; 0 takes it out again.
  const second = (await unplaced.first().getAttribute('data-note'))!;
  await tabTo(host, unplaced.first());
  await host.keyboard.press('1');
  await expect(inTheme(0, second)).toBeVisible();
  await expect(host.locator('.unplaced .placed:focus')).toHaveCount(1);
  const third = (await host.locator('.unplaced .placed:focus').getAttribute('data-note'))!;
  await host.keyboard.press('Enter');
  await expect(host.locator('.pick-theme').first()).toBeFocused();
  await host.keyboard.press('Tab');
  await host.keyboard.press('Enter');
  await expect(inTheme(1, third)).toBeVisible();
  await inTheme(0, second).focus();
  await host.keyboard.press('0');
  await expect(host.locator(`.unplaced [data-note="${second}"]`)).toBeVisible();
});

test('P-18 P-7: a note that goes on from another quotes it in the harvest, the vote, the plan and the review', async ({ browser }) => {
  const language: Language = 'en';
  const t = (key: string, values = {}) => text(language, key, values);
  const guest = await page(browser, language, phone, true);
  await join(guest, language, server.base, cafe.join_code, 'Li');
  await command({ type: 'next_round' });
  await guest.locator('.moving-there').tap();
  await write(guest, language, 'Call back the same day');
  await guest.locator('.note-reply').first().tap();
  await write(guest, language, 'and send a photo');
  await write(guest, language, 'Something else');
  await saved(guest, language);
  // Where one stands below the other nothing is quoted.
  await expect(guest.locator('.note-quote')).toHaveCount(0);
  await command({ type: 'end_round' });
  for (const phase of ['gallery', 'harvest']) await command({ type: 'go_to', phase });
  const host = await page(browser, language);
  await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
  const quotes = (where: Locator) => where.locator('.note-quoted').filter({ visible: true });
  const quoted = async (where: Locator) => {
    await expect(quotes(where)).toHaveText(['Call back the same day']);
    await expect(where.filter({ hasText: 'and send a photo' }).first()).toBeVisible();
  };
  await quoted(host.locator('.unplaced'));
  await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
  await host.locator('.theme').getByRole('textbox').first().fill('Words');
  // What goes on from it comes along, and the keyboard goes on to what is left.
  await host.locator('.unplaced .placed', { hasText: 'Call back' }).first().focus();
  await host.keyboard.press('1');
  await expect(host.locator('.unplaced .placed', { hasText: 'Something else' })).toBeFocused();
  await quoted(host.locator('.theme'));
  await command({ type: 'go_to', phase: 'vote' });
  await guest.getByText(t('vote.what_was_said'), { exact: true }).first().tap();
  await quoted(guest.locator('.theme-list'));
  await command({ type: 'close_vote' });
  await command({ type: 'go_to', phase: 'plan' });
  await host.getByRole('button', { name: t('plan.make') }).first().click();
  await quoted(host.locator('.sources-list'));
  await command({ type: 'go_to', phase: 'review' });
  await expect(host.locator('.review-action')).toHaveCount(1);
  await quoted(host.locator('.sources-list'));
});
