// Every page through axe: no serious or critical violation, in both languages, light and dark, phone and laptop.
import { expect, test } from '@playwright/test';
import { accessible, device, join, known, laptop, next, phone, Server, watch } from './cafe.ts';
import { type Language, text } from './texts.ts';

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
      await accessible(host, 'home');
      await host.locator('a[href*="template=classic"]').click();
      await expect(host.getByRole('button', { name: t('new.create') })).toBeVisible();
      await accessible(host, 'new');
      await host.getByLabel(t('new.moving'), { exact: false }).first().fill('0');
      await host.getByRole('button', { name: t('new.create') }).click();
      await host.waitForURL(/\/host\//);
      await expect(host.getByRole('button', { name: t('console.next_open'), exact: true })).toBeVisible();
      await accessible(host, 'draft');
      await next(host, t('console.next_open'));
      await expect(host.locator('.join-way-code')).toBeVisible();
      await accessible(host, 'lobby');
      const code = (await host.locator('.join-way-code').innerText()).replace(/[^A-Z0-9]/g, '');
      await guest.goto(`${server.base}/j/${code}`);
      await expect(guest.getByRole('button', { name: t('join.enter') })).toBeVisible();
      await accessible(guest, 'join');
      await join(guest, language, server.base, code, language === 'en' ? 'Li' : '李');
      await server.join(code, 'Bo');
      await accessible(guest, 'lobby of a guest');
      await next(host, t('console.next_round', { n: 1 }));
      await expect(guest.getByRole('button', { name: t('cafe.i_am_here') })).toBeVisible();
      await accessible(guest, 'moving');
      await guest.getByRole('button', { name: t('cafe.i_am_here') }).click();
      const form = guest.getByRole('form', { name: t('board.compose') });
      await form.getByRole('textbox').fill(language === 'en' ? 'A note' : '一张便签');
      await form.getByRole('button', { name: t('board.post') }).click();
      await accessible(guest, 'table');
      await accessible(host, 'floor');
      await next(host, t('console.next_end_round', { n: 1 }));
      for (const round of [2, 3]) {
        await next(host, t('console.next_round', { n: round }));
        await next(host, t('console.next_end_round', { n: round }));
      }
      const [identity] = await known(host);
      await host.goto(`${server.base}/host/${identity.workshop}/board/1`);
      await expect(host.locator('.canvas, .board-canvas').first()).toBeVisible();
      await accessible(host, 'canvas');
      await host.goto(`${server.base}/host/${identity.workshop}`);
      await next(host, t('console.next_gallery'));
      await expect(host.locator('.wall').first()).toBeVisible();
      await accessible(host, 'gallery');
      await accessible(guest, 'gallery of a guest');
      await next(host, t('console.next_harvest'));
      await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
      await host.locator('.theme').last().getByRole('textbox').first().fill(language === 'en' ? 'Theme' : '主题');
      await accessible(host, 'harvest');
      await accessible(guest, 'harvest of a guest');
      await next(host, t('console.next_vote'));
      await expect(guest.locator('.vote-theme').first()).toBeVisible();
      await accessible(guest, 'vote');
      await accessible(host, 'vote of the facilitator');
      await next(host, t('console.next_close_vote'));
      await next(host, t('console.next_plan'));
      await host.getByRole('button', { name: t('plan.make') }).first().click();
      await expect(host.locator('.action')).toHaveCount(1);
      await accessible(host, 'plan');
      await next(host, t('console.next_review'));
      const link = await server.request('POST', `/api/workshops/${identity.workshop}/links`, {
        token: identity.token,
        body: { role: 'reviewer' },
      });
      await guest.goto(server.base + new URL(link.url).pathname + new URL(link.url).hash);
      await expect(guest.locator('.review-action')).toHaveCount(1);
      await accessible(guest, 'review');
      await host.goto(`${server.base}/host/${identity.workshop}/projector`);
      await accessible(host, 'projector');
      expect(errors).toEqual([]);
    } finally {
      await Promise.all([desk.close(), pocket.close()]);
      await server.stop();
    }
  });
}
