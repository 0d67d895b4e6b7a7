// Every page through axe: no serious or critical violation, in both languages, light and dark, phone and laptop.
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { device, join, known, laptop, next, phone, Server, watch } from './cafe.ts';
import { type Language, text } from './texts.ts';

async function check(page: Page, where: string) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const bad = violations
      .filter(v => v.impact === 'serious' || v.impact === 'critical')
      .map(v => `${where} (${colorScheme}): ${v.id}: ${v.nodes.map(n => n.target.join(' ')).join(' | ')}`);
    expect.soft(bad).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

for (const language of ['zh-CN', 'en'] as Language[]) {
  test(`P-4 P-3: no serious violation on any page in ${language}`, async ({ browser }) => {
    const t = (key: string, values = {}) => text(language, key, values);
    const server = await Server.start();
    const errors: string[] = [];
    const [desk, pocket] = [await device(browser, language, laptop), await device(browser, language, phone, true)];
    const [host, guest] = [await desk.newPage(), await pocket.newPage()];
    for (const page of [host, guest]) watch(page, errors);
    try {
      await host.goto(server.base);
      await expect(host.locator('.template-link').nth(3)).toBeVisible();
      await check(host, 'home');
      await host.locator('a[href*="template=classic"]').click();
      await expect(host.getByRole('button', { name: t('new.create') })).toBeVisible();
      await check(host, 'new');
      await host.getByLabel(t('new.moving'), { exact: false }).first().fill('0');
      await host.getByRole('button', { name: t('new.create') }).click();
      await host.waitForURL(/\/host\//);
      await expect(host.getByRole('button', { name: t('console.next_open'), exact: true })).toBeVisible();
      await check(host, 'draft');
      await next(host, t('console.next_open'));
      await expect(host.locator('.join-way-code')).toBeVisible();
      await check(host, 'lobby');
      const code = (await host.locator('.join-way-code').innerText()).replace(/[^A-Z0-9]/g, '');
      await guest.goto(`${server.base}/j/${code}`);
      await expect(guest.getByRole('button', { name: t('join.enter') })).toBeVisible();
      await check(guest, 'join');
      await join(guest, language, server.base, code, language === 'en' ? 'Li' : '李');
      await server.join(code, 'Bo');
      await check(guest, 'lobby of a guest');
      await next(host, t('console.next_round', { n: 1 }));
      await expect(guest.getByRole('button', { name: t('cafe.i_am_here') })).toBeVisible();
      await check(guest, 'moving');
      await guest.getByRole('button', { name: t('cafe.i_am_here') }).click();
      const form = guest.getByRole('form', { name: t('board.compose') });
      await form.getByRole('textbox').fill(language === 'en' ? 'A note' : '一张便签');
      await form.getByRole('button', { name: t('board.post') }).click();
      await check(guest, 'table');
      await check(host, 'floor');
      await next(host, t('console.next_end_round', { n: 1 }));
      for (const round of [2, 3]) {
        await next(host, t('console.next_round', { n: round }));
        await next(host, t('console.next_end_round', { n: round }));
      }
      const [identity] = await known(host);
      await host.goto(`${server.base}/host/${identity.workshop}/board/1`);
      await expect(host.locator('.canvas, .board-canvas').first()).toBeVisible();
      await check(host, 'canvas');
      await host.goto(`${server.base}/host/${identity.workshop}`);
      await next(host, t('console.next_gallery'));
      await expect(host.locator('.wall').first()).toBeVisible();
      await check(host, 'gallery');
      await check(guest, 'gallery of a guest');
      await next(host, t('console.next_harvest'));
      await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
      await host.locator('.theme').last().getByRole('textbox').first().fill(language === 'en' ? 'Theme' : '主题');
      await check(host, 'harvest');
      await check(guest, 'harvest of a guest');
      await next(host, t('console.next_vote'));
      await expect(guest.locator('.vote-theme').first()).toBeVisible();
      await check(guest, 'vote');
      await check(host, 'vote of the facilitator');
      await next(host, t('console.next_close_vote'));
      await next(host, t('console.next_plan'));
      await host.getByRole('button', { name: t('plan.make') }).first().click();
      await expect(host.locator('.action')).toHaveCount(1);
      await check(host, 'plan');
      await next(host, t('console.next_review'));
      const link = await server.request('POST', `/api/workshops/${identity.workshop}/links`, {
        token: identity.token,
        body: { role: 'reviewer' },
      });
      await guest.goto(server.base + new URL(link.url).pathname + new URL(link.url).hash);
      await expect(guest.locator('.review-action')).toHaveCount(1);
      await check(guest, 'review');
      await host.goto(`${server.base}/host/${identity.workshop}/projector`);
      await check(host, 'projector');
      expect(errors).toEqual([]);
    } finally {
      await Promise.all([desk.close(), pocket.close()]);
      await server.stop();
    }
  });
}
