// A café with more tables than one connection may have boards open: everybody still sees all of it.
import { expect, test } from '@playwright/test';
import { device, Guests, join, laptop, phone, Server, until, watch } from './cafe.ts';
import { text } from './texts.ts';

const TABLES = 100;

test('P-9: gallery, harvest and plan of a hundred tables, for the facilitator and for a guest', async ({ browser }) => {
  const language = 'en';
  const t = (key: string, values = {}) => text(language, key, values);
  const server = await Server.start();
  const errors: string[] = [];
  const [desk, pocket] = [await device(browser, language, laptop), await device(browser, language, phone, true)];
  let guests: InstanceType<typeof Guests> | undefined;
  try {
    const cafe = await server.create({
      title: 'A hundred tables',
      language,
      tables: Array.from({ length: TABLES }, (_, n) => ({ topic: `Topic ${n + 1}` })),
      rounds: [{ minutes: 60 }],
      // Two at a table: twenty tables have guests, and the last one has words of the facilitator.
      settings: { seats_per_table: 2, dots: 3, moving_seconds: 0, show_authors: true },
    });
    const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
    await command({ type: 'go_to', phase: 'lobby' });
    guests = new Guests(server, cafe.join_code, { guests: 39, language, notes: 1, pace: 20, seed: 9 });
    const [host, guest] = [await desk.newPage(), await pocket.newPage()];
    for (const page of [host, guest]) watch(page, errors);
    await join(guest, language, server.base, cafe.join_code, 'Li');
    await until('40 people', async () => (await server.view(cafe.id, cafe.facilitator_token)).people_count === 40, 60);
    await command({ type: 'next_round' });
    await until('39 notes', () => guests!.wrote.length >= 39, 60);
    guests.stop();
    await host.goto(`${server.base}/host/${cafe.id}/board/${TABLES}#${cafe.facilitator_token}`);
    await host.locator('.canvas-new').first().click();
    const words = 'From the last table';
    await host.keyboard.type(words);
    await host.keyboard.press('Escape');
    await until('it is stored', async () => {
      const stored = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
      return stored.tables[TABLES - 1].notes.some((note: { text: string }) => note.text === words);
    });
    await command({ type: 'end_round' });
    await command({ type: 'go_to', phase: 'gallery' });
    // The last table can be read by both, though a guest's view names only those nearby.
    await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
    for (const page of [host, guest]) {
      await page.locator('.gallery-tab').nth(TABLES - 1).click();
      await expect(page.locator(`#wall-${TABLES} .note`).first()).toBeVisible();
    }
    // Harvest: every note of every table is counted, although only some boards are open at a time.
    await command({ type: 'go_to', phase: 'harvest' });
    const all = guests.wrote.length + 1;
    const tables = new Set(guests.wrote.map((note: { table: number }) => note.table)).size + 1;
    await expect(host.getByText(t('harvest.left', { n: all, total: all }))).toBeVisible({ timeout: 40_000 });
    const group = host.locator('.unplaced-table:visible');
    await expect(group).toHaveCount(12);
    await host.getByRole('button', { name: t('harvest.more_tables', { n: tables - 12 }) }).click();
    await expect(group).toHaveCount(Math.min(tables, 24));
    await host.getByRole('combobox', { name: t('harvest.table') }).selectOption({ label: `${TABLES} Topic ${TABLES}` });
    await host.locator('.unplaced .placed').first().click();
    await host.locator('.pick-new').click();
    await expect(host.locator('.theme .placed').first()).toContainText(words);
    await expect(guest.locator('.theme .placed').filter({ hasText: words }).first()).toBeVisible({ timeout: 40_000 });
    // Vote and plan: the note of the last table is still at hand.
    await expect(async () => {
      await command({ type: 'go_to', phase: 'vote' });
    }).toPass({ timeout: 15_000 });
    await command({ type: 'close_vote' });
    await command({ type: 'go_to', phase: 'plan' });
    await host.getByRole('button', { name: t('plan.make') }).first().click();
    await expect(host.locator('.action .source').getByText(words).first()).toBeVisible({ timeout: 40_000 });
    expect(errors).toEqual([]);
  } finally {
    guests?.stop();
    await Promise.all([desk.close(), pocket.close()]);
    await server.stop();
  }
});
