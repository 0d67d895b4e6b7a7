// The facilitator's console on a phone: messages above an open panel, and the rounds that are left out.
import { expect, test } from '@playwright/test';
import { device, join, laptop, phone, Server, watch } from './cafe.ts';
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

for (const language of ['zh-CN', 'en'] as Language[]) {
  test(`H-25 P-8: a link that was given out is ended, and whoever uses it reads why in ${language}`, async ({ browser }) => {
    const t = (key: string, values = {}) => text(language, key, values);
    const server = await Server.start();
    const errors: string[] = [];
    const [pocket, desk] = [await device(browser, language, phone, true), await device(browser, language, laptop, false)];
    try {
      const cafe = await server.create({ title: 'Links', language, template: 'classic' });
      const link = await server.request('POST', `/api/workshops/${cafe.id}/links`, {
        token: cafe.facilitator_token,
        body: { role: 'facilitator' },
      });
      const helper = await desk.newPage();
      await helper.goto(server.base + new URL(link.url).pathname + new URL(link.url).hash);
      await expect(helper.locator('.console-next')).toBeVisible();
      const host = await pocket.newPage();
      watch(host, errors);
      await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
      await host.getByRole('button', { name: t('console.side_button'), exact: true }).tap();
      const panel = host.getByRole('dialog', { name: t('console.side') });
      await panel.getByText(t('console.tools'), { exact: true }).first().tap();
      const given = panel.getByRole('list', { name: t('console.given_links') }).getByRole('listitem');
      // Their own, the reviewer's, and the helper's; their own cannot be ended.
      await expect(given).toHaveCount(3);
      await expect(given.filter({ hasText: t('console.link_own') }).getByRole('button')).toHaveCount(0);
      const last = given.filter({ hasText: t('console.given_helper') }).filter({ has: host.getByRole('button') });
      await last.getByRole('button', { name: t('console.end_link'), exact: true }).tap();
      await host
        .getByRole('dialog', { name: t('console.end_helper_link_title') })
        .getByRole('button', { name: t('console.end_link'), exact: true })
        .tap();
      await expect(given).toHaveCount(2);
      await expect(helper.getByText(t('common.error.link_ended'))).toBeVisible();
      await helper.reload();
      await expect(helper.getByText(t('common.error.bad_token'))).toBeVisible();
      expect(errors).toEqual([]);
    } finally {
      await Promise.all([pocket.close(), desk.close()]);
      await server.stop();
    }
  });
}

for (const language of ['zh-CN', 'en'] as Language[]) {
  test(`W-14: a hand is lowered where it stands on the floor, and goes up again, in ${language}`, async ({ browser }) => {
    const t = (key: string, values = {}) => text(language, key, values);
    const server = await Server.start();
    const errors: string[] = [];
    const [pocket, desk] = [await device(browser, language, phone, true), await device(browser, language, laptop, false)];
    try {
      const cafe = await server.create({
        title: 'Hands up',
        language,
        tables: [{ topic: 'A' }, { topic: 'B' }],
        rounds: [{ minutes: 60 }],
        settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
      });
      const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
      await command({ type: 'go_to', phase: 'lobby' });
      const guest = await pocket.newPage();
      watch(guest, errors);
      await join(guest, language, server.base, cafe.join_code, 'Li');
      await server.join(cafe.join_code, 'Bo');
      await command({ type: 'next_round' });
      await guest.locator('.moving-there').tap();
      const raise = guest.getByRole('button', { name: t('cafe.raise_hand'), exact: true });
      const up = guest.getByRole('button', { name: t('cafe.lower_hand'), exact: true });
      const host = await desk.newPage();
      watch(host, errors);
      await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
      const floor = host.getByRole('main');
      const lower = (inside = floor) => inside.getByRole('button', { name: t('console.lower_hand', { name: 'Li' }), exact: true });
      await expect(floor.locator('.ft').first()).toBeVisible();
      await expect(lower()).toHaveCount(0);
      await raise.tap();
      await expect(up).toBeVisible();
      await expect(floor.locator('.ft').filter({ hasText: t('console.hand', { name: 'Li' }) })).toHaveCount(1);
      await lower().click();
      await expect(lower()).toHaveCount(0);
      await expect(raise).toBeVisible();
      const people = async () => (await server.view(cafe.id, cafe.facilitator_token)).part.people as { hand: boolean }[];
      expect((await people()).some(person => person.hand)).toBe(false);
      // Up again; the panel of the table and the dialog of the person lower it too.
      await raise.tap();
      await floor.locator('.ft-hands').click();
      await lower(host.getByRole('dialog')).click();
      await expect(raise).toBeVisible();
      await raise.tap();
      await host.getByRole('dialog').getByRole('button', { name: 'Li' }).and(host.locator('.people-who')).click();
      await lower(host.getByRole('dialog', { name: 'Li', exact: true })).click();
      await expect(raise).toBeVisible();
      expect(errors).toEqual([]);
    } finally {
      await Promise.all([pocket.close(), desk.close()]);
      await server.stop();
    }
  });
}

for (const language of ['zh-CN', 'en'] as Language[]) {
  test(`P-17: five people at three tables are told why one stays empty, where it is, in ${language}`, async ({ browser }) => {
    const t = (key: string, values = {}) => text(language, key, values);
    const server = await Server.start();
    const errors: string[] = [];
    const desk = await device(browser, language, laptop, false);
    try {
      const cafe = await server.create({
        title: 'Few',
        language,
        tables: [{ topic: 'A' }, { topic: 'B' }, { topic: 'C' }],
        rounds: [{ minutes: 60 }, { minutes: 60 }],
        settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
      });
      const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
      await command({ type: 'go_to', phase: 'lobby' });
      const host = await desk.newPage();
      watch(host, errors);
      await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
      const main = host.getByRole('main');
      await expect(main.getByText(t('console.nobody_yet'))).toBeVisible();
      for (const name of ['Ann', 'Bo', 'Cy', 'Di', 'Ed']) await server.join(cafe.join_code, name);
      await expect(main.getByText(t('console.spread_pairs', { people: 5, tables: 2, empty: '3' }), { exact: true })).toBeVisible();
      await command({ type: 'next_round' });
      const place = (n: number) => main.locator('.floor-place').nth(n - 1);
      const why = t('console.empty_pairs', { people: 5, tables: 2 });
      await expect(place(3).getByText(t('console.empty_more', { why }), { exact: true })).toBeVisible();
      for (const n of [1, 2]) await expect(place(n).locator('.ft-why')).toHaveCount(0);
      // A sixth sits with the others, and the next round takes the third table.
      await server.join(cafe.join_code, 'Flo');
      await expect(place(3).getByText(t('console.empty_next'), { exact: true })).toBeVisible();
      await command({ type: 'end_round' });
      await command({ type: 'next_round' });
      await expect(main.locator('.ft-why')).toHaveCount(0);
      expect(errors).toEqual([]);
    } finally {
      await desk.close();
      await server.stop();
    }
  });
}
