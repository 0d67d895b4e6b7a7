// What is typed is never lost, and nobody's typing disturbs another's.
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
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
  const context = one.context();
  const address = one.url();
  await one.close();
  await server.restart();
  const again = await context.newPage();
  await again.goto(address);
  await expect(again.getByText('关掉之前写的').first()).toBeVisible();
  await saved(again, language);
  await expect(other.getByText('关掉之前写的').first()).toBeVisible({ timeout: 20_000 });
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
