// After the review: what became of each approved action, by the server's clock, and of what each person wrote.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, expect, type Page, test } from '@playwright/test';
import { accessible, device, join, laptop, phone, Server, until, watch, write } from './cafe.ts';
import { type Language, text } from './texts.ts';

const DAY = 86_400_000;

// A server whose wall clock can be set: it, and no device, says which day it is.
async function timed() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tablehop-clock-'));
  const source = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../shim/clock.c');
  const [library, control] = [path.join(folder, 'libclock.so'), path.join(folder, 'control')];
  execFileSync('cc', ['-O1', '-fPIC', '-shared', '-o', library, source, '-ldl', '-lpthread']);
  const set = (ahead: number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(BigInt(ahead));
    writeFileSync(control, bytes, { flag: 'r+' });
  };
  writeFileSync(control, Buffer.alloc(16));
  const server = await Server.start();
  await server.end('SIGTERM');
  server.settings = { LD_PRELOAD: library, CLOCK_CONTROL: control };
  await server.restart();
  return {
    server,
    day: (days: number) => set(days * DAY),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// A café in review with one action, which rests on a theme with one of Li's notes; a second note is in a theme alone, a third in none.
async function reviewed(browser: Browser, language: Language, server: InstanceType<typeof Server>, guest: Page, silent: Page) {
  const t = (key: string, values = {}) => text(language, key, values);
  const cafe = await server.create({
    title: language === 'en' ? 'Afterwards' : '后来',
    language,
    tables: [{ topic: 'A' }, { topic: 'B' }],
    rounds: [{ minutes: 60 }],
    settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: false },
  });
  const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
  await command({ type: 'go_to', phase: 'lobby' });
  await join(guest, language, server.base, cafe.join_code, 'Li');
  const other = await device(browser, language, phone, true);
  const bo = await other.newPage();
  await join(bo, language, server.base, cafe.join_code, 'Bo');
  await join(silent, language, server.base, cafe.join_code, 'Cy');
  await command({ type: 'next_round' });
  for (const page of [guest, bo]) await page.locator('.moving-there').tap();
  const words =
    language === 'en'
      ? ['Call before the visit', 'Say what happens next', 'A bench by the lift']
      : ['上门前先打电话', '告诉业主下一步是什么', '电梯口放一张长椅'];
  for (const word of words) await write(guest, language, word);
  await bo.locator('.note', { hasText: words[0] }).locator('.note-reply').tap();
  await write(bo, language, language === 'en' ? 'And half an hour ahead' : '提前半小时更好');
  const stored = () => server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
  await until('all is stored', async () => (await stored()).tables.flatMap((table: { notes: object[] }) => table.notes).length === 4);
  await other.close();
  await command({ type: 'end_round' });
  for (const phase of ['gallery', 'harvest']) await command({ type: 'go_to', phase });
  const desk = await device(browser, language, laptop);
  const host = await desk.newPage();
  await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
  for (const word of words.slice(0, 2)) {
    await host.locator('.unplaced .placed', { hasText: word }).first().click();
    await host.locator('.pick-new').click();
    await expect(host.locator('.theme .placed', { hasText: word }).first()).toBeVisible();
  }
  await expect(async () => {
    await command({ type: 'go_to', phase: 'vote' });
  }).toPass({ timeout: 15_000 });
  await guest.locator('.vote-theme').first().waitFor();
  const { vote } = await server.view(cafe.id, cafe.facilitator_token);
  const mine = (await guest.evaluate(() => JSON.parse(localStorage.getItem('tablehop.cafes') ?? '[]')))[0].token;
  await server.command(cafe.id, mine, { type: 'cast_vote', theme: vote.themes[0].id, dots: 2 });
  await command({ type: 'close_vote' });
  await command({ type: 'go_to', phase: 'plan' });
  await host.getByRole('button', { name: t('plan.make') }).first().click();
  for (const [field, value] of [['kpi', 'KPI'], ['baseline', '40 %'], ['target', '90 %']]) {
    await host.getByLabel(t(`plan.field_${field}`), { exact: true }).fill(value);
  }
  await until('the plan is stored', async () => (await stored()).actions[0]?.target === '90 %');
  await command({ type: 'go_to', phase: 'review' });
  await desk.close();
  return { cafe, command, words, action: (await stored()).actions[0].id as string, stored };
}

for (const language of ['zh-CN', 'en'] as Language[]) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`P-21 P-22: follow-ups by the server's clock, and what became of one's notes, in ${language}`, async ({ browser }) => {
    // A whole café and many looks through axe: on a busy machine that takes more than the usual time.
    test.slow();
    const { server, day, stop } = await timed();
    const errors: string[] = [];
    const [desk, pocket, office] = [
      await device(browser, language, laptop),
      await device(browser, language, phone, true),
      await device(browser, language, phone, true),
    ];
    try {
      const guest = await pocket.newPage();
      watch(guest, errors);
      const silent = await office.newPage();
      watch(silent, errors);
      const { cafe, command, words, action, stored } = await reviewed(browser, language, server, guest, silent);
      const reviewer = await desk.newPage();
      watch(reviewer, errors);
      await reviewer.goto(`${server.base}/review/${cafe.id}#${cafe.review_token}`);
      const dates = reviewer.locator('.follow-date');
      await expect(reviewer.locator('.review-action')).toHaveCount(1);
      await expect(dates).toHaveCount(0);
      await expect(reviewer.locator('.outlook')).toHaveCount(0);
      await server.command(cafe.id, cafe.review_token, { type: 'decide', action, verdict: 'approve', reason: '', name: 'Wang' });
      await expect(dates).toHaveCount(3);
      for (const date of await dates.all()) await expect(date).toContainText(t('follow.to_come'));

      // A month later, by the server's clock; the device's has not moved.
      day(31);
      await reviewer.reload();
      await expect(dates.nth(0)).toContainText(t('follow.due'));
      await expect(dates.nth(1)).toContainText(t('follow.to_come'));
      await expect(reviewer.locator('.outlook')).toContainText(t('follow.one_due'));
      await expect(reviewer.locator('.outlook-line')).toHaveCount(1);
      await reviewer.locator('.outlook-line').click();
      await dates.nth(0).click();
      const form = (page: Page) => page.locator('.follow-form');
      await expect(form(reviewer).getByLabel(t('follow.measured'))).toBeFocused();
      await expect(form(reviewer)).toContainText('40 %');
      await expect(form(reviewer)).toContainText('90 %');
      await accessible(reviewer, 'the form');
      // Without a name nothing is sent, and nothing is lost.
      await form(reviewer).getByLabel(t('follow.measured')).fill('71 %');
      await form(reviewer).getByLabel(t('follow.found')).fill('Half of the houses');
      await form(reviewer).getByRole('button', { name: t('follow.underway'), exact: true }).click();
      await expect(form(reviewer)).toContainText(t('review.name_needed'));
      await form(reviewer).getByLabel(t('review.your_name'), { exact: false }).fill('Wang');
      await form(reviewer).getByRole('button', { name: t('follow.underway'), exact: true }).click();
      await expect(form(reviewer)).toHaveCount(0);
      await expect(dates.nth(0)).toBeFocused();
      await expect(dates.nth(0)).toContainText(t('follow.underway'));
      await expect(reviewer.locator('.follow-one')).toContainText('Half of the houses');
      await expect(reviewer.locator('.outlook-line')).toHaveCount(0);
      await expect(reviewer.locator('.outlook')).toContainText(t('follow.part_underway', { n: 1 }));
      await accessible(reviewer, 'followed up');
      await reviewer.emulateMedia({ media: 'print' });
      await expect(reviewer.locator('.follow-one')).toBeVisible();
      await reviewer.emulateMedia({ media: 'screen' });

      // The café is closed, and two months have passed: late, on a phone.
      await command({ type: 'go_to', phase: 'closed' });
      day(75);
      const pad = await office.newPage();
      watch(pad, errors);
      await pad.goto(`${server.base}/review/${cafe.id}#${cafe.review_token}`);
      await expect(pad.getByText(t('follow.closed'))).toBeVisible();
      await expect(pad.locator('.follow-date').nth(1)).toContainText(t('follow.overdue'));
      await pad.locator('.follow-date').nth(1).tap();
      await accessible(pad, 'overdue on a phone');
      await form(pad).getByLabel(t('follow.measured')).fill('93 %');
      await form(pad).getByLabel(t('review.your_name'), { exact: false }).fill('Wang');
      await form(pad).getByRole('button', { name: t('follow.done'), exact: true }).tap();
      await expect(pad.locator('.follow-date').nth(1)).toContainText(t('follow.done'));
      await expect(pad.locator('.follow-date').nth(2)).toContainText(t('follow.not_needed'));
      await expect(pad.locator('.outlook')).toContainText(t('follow.part_done', { n: 1 }));
      expect((await stored()).actions[0].follow_ups.map((f: { after_days: number; measured: string }) => [f.after_days, f.measured])).toEqual([
        [30, '71 %'],
        [60, '93 %'],
      ]);

      // Li finds their own words, and no button that is not theirs.
      await guest.reload();
      const fate = guest.locator('.fate');
      await expect(fate.getByRole('heading', { name: t('fate.title'), exact: true })).toBeVisible();
      await expect(fate.locator('.fate-lead')).toContainText(t('fate.n_notes', { n: 3 }));
      const ways = fate.locator('.fate-way');
      await expect(ways).toHaveCount(2);
      await expect(ways.nth(0)).toContainText(words[0]);
      await expect(ways.nth(0)).toContainText(t('fate.went_on_one'));
      await expect(ways.nth(0)).toContainText(t('vote.dots', { n: 2 }));
      await expect(ways.nth(0)).toContainText(t('review.approved'));
      await expect(ways.nth(0)).toContainText(t('fate.found', { days: 60, progress: t('follow.done') }));
      await expect(ways.nth(0)).toContainText('93 %');
      await expect(ways.nth(1)).toContainText(words[1]);
      await expect(ways.nth(1).locator('.fate-action')).toHaveCount(0);
      await expect(fate.getByText(words[2])).toBeHidden();
      await fate.getByText(t('fate.one_kept'), { exact: true }).tap();
      await expect(fate.getByText(words[2])).toBeVisible();
      await expect(guest.locator('.follow-date')).toHaveCount(3);
      await expect(guest.locator('button.follow-date')).toHaveCount(0);
      await accessible(guest, 'what became of it');
      await ways.nth(0).locator('.fate-link').tap();
      await expect(guest.locator('.review-action .review-open')).toBeVisible();
      await guest.setViewportSize(laptop);
      await accessible(guest, 'what became of it on a laptop');
      // Who wrote nothing is thanked in one sentence; the facilitator reads the same figures as management.
      await silent.reload();
      await expect(silent.locator('.fate').getByText(t('fate.nothing'))).toBeVisible();
      const host = await desk.newPage();
      watch(host, errors);
      await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
      await expect(host.locator('.outlook')).toContainText(t('follow.outlook', { n: 1, parts: t('follow.part_done', { n: 1 }) }));
      await expect(host.locator('button.follow-date')).toHaveCount(3);
      expect(errors).toEqual([]);
    } finally {
      await Promise.all([desk.close(), pocket.close(), office.close()]);
      await stop();
    }
  });
}
