// The facilitator's console on a phone: messages above an open panel, and the rounds that are left out.
import { expect, test } from '@playwright/test';
import { device, phone, Server, watch } from './cafe.ts';
import { type Language, text } from './texts.ts';

for (const language of ['zh-CN', 'en'] as Language[]) {
  test(`P-8 W-2: a message in an open panel can be read and closed, and rounds can be left out in ${language}`, async ({ browser }) => {
    const t = (key: string, values = {}) => text(language, key, values);
    const server = await Server.start();
    const errors: string[] = [];
    const pocket = await device(browser, language, phone, true);
    try {
      const cafe = await server.create({
        title: 'Console',
        language,
        tables: [{ topic: 'A' }, { topic: 'B' }],
        rounds: [{ minutes: 60 }, { minutes: 60 }, { minutes: 60 }],
        settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
      });
      const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
      await command({ type: 'go_to', phase: 'lobby' });
      await server.join(cafe.join_code, 'Li');
      await command({ type: 'next_round' });
      const host = await pocket.newPage();
      watch(host, errors);
      await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
      const panel = host.getByRole('dialog', { name: t('console.side') });
      const tab = (key: string) => panel.getByText(t(key), { exact: true }).first();
      await host.getByRole('button', { name: t('console.side_button'), exact: true }).tap();
      await tab('console.announce').tap();
      await panel.getByLabel(t('console.message'), { exact: false }).fill('Two minutes');
      await panel.getByRole('button', { name: t('console.send') }).tap();
      const said = host.getByText(t('console.announced'));
      await expect(said).toHaveCount(1);
      await panel.locator('.toast-close').tap();
      await expect(said).toHaveCount(0);
      await tab('console.tools').tap();
      await panel.getByRole('button', { name: t('console.skip_rounds'), exact: true }).tap();
      await host
        .getByRole('dialog', { name: t('console.skip_rounds_title') })
        .getByRole('button', { name: t('console.next_gallery'), exact: true })
        .tap();
      await expect(host.getByRole('heading', { name: t('gallery.title'), exact: true })).toBeVisible();
      const view = await server.view(cafe.id, cafe.facilitator_token);
      expect([view.phase, view.round.status]).toEqual(['gallery', 'over']);
      expect(errors).toEqual([]);
    } finally {
      await pocket.close();
      await server.stop();
    }
  });
}
