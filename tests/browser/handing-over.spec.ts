// What is left open when the café goes on is said beside the next step; management's way to the plan lies there when it is needed.
import { type BrowserContext, expect, test } from '@playwright/test';
import { device, Guests, laptop, next, phone, Server, until, watch } from './cafe.ts';
import { type Language, text } from './texts.ts';

for (const language of ['zh-CN', 'en'] as Language[]) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`P-16 P-8: what is left open is said, the review link is there, and closing asks once in ${language}`, async ({ browser }) => {
    const server = await Server.start();
    const errors: string[] = [];
    const desk: BrowserContext = await device(browser, language, laptop);
    try {
      const cafe = await server.create({
        title: 'Handing over',
        language,
        tables: [{ topic: 'A' }, { topic: 'B' }],
        rounds: [{ minutes: 60 }],
        settings: { seats_per_table: 5, dots: 3, moving_seconds: 600, show_authors: true },
      });
      const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
      await command({ type: 'go_to', phase: 'lobby' });
      const host = await desk.newPage();
      watch(host, errors);
      await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
      // Who cannot scan learns where to type the code; nobody changes tables before they have sat at one.
      const address = new URL(server.base).host;
      await expect(host.getByText(t('console.scan', { address }))).toBeVisible();
      const screen = await desk.newPage();
      watch(screen, errors);
      await screen.goto(`${server.base}/host/${cafe.id}/projector`);
      await expect(screen.getByText(t('console.scan', { address }))).toBeVisible();
      const gone = await server.join(cafe.join_code, 'Gone');
      const guests = new Guests(server, cafe.join_code, { guests: 2, language, notes: 1, pace: 50, seed: 3 });
      await until('3 people', async () => (await server.view(cafe.id, cafe.facilitator_token)).people_count === 3);
      await next(host, t('console.next_round', { n: 1 }));
      await expect(screen.getByText(t('console.projector_seating'), { exact: true })).toBeVisible();
      await command({ type: 'start_round' });
      await until('2 notes', () => guests.wrote.length >= 2);
      guests.stop();
      await server.command(cafe.id, gone.token, { type: 'leave' });
      await command({ type: 'end_round' });
      for (const phase of ['gallery', 'harvest']) await command({ type: 'go_to', phase });
      await expect(host.getByText(t('console.left_unplaced', { n: 2 }))).toBeVisible();
      await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
      await host.locator('.theme').getByRole('textbox').first().fill('A theme');
      // It is a line, not a wall.
      await expect(async () => {
        await next(host, t('console.next_vote'));
        await expect(host.getByRole('button', { name: t('console.next_close_vote'), exact: true })).toBeVisible({ timeout: 2_000 });
      }).toPass();
      await expect(screen.getByText(t('console.projector_vote'))).toBeVisible();
      await next(host, t('console.next_close_vote'));
      await expect(screen.getByText(t('console.projector_voted'))).toBeVisible();
      await next(host, t('console.next_plan'));
      await host.getByRole('button', { name: t('plan.make') }).first().click();
      await expect(host.getByText(t('console.left_unfinished', { n: 1 }))).toBeVisible();
      // A day of another age is not taken, and the range is said.
      const due = host.getByLabel(t('plan.due'));
      await due.fill('0002-03-01');
      await due.blur();
      const [before] = t('plan.due_range').split('{{');
      await expect(host.locator('.field-error', { hasText: before.trim().split(' ')[0] }).first()).toBeVisible();
      await expect(due).toHaveAttribute('aria-invalid', 'true');
      await due.fill('2027-01-31');
      await due.blur();
      await expect(due).not.toHaveAttribute('aria-invalid', 'true');
      await host.getByLabel(t('plan.field_accountable')).fill('Huang');
      await expect(host.locator('.console-caution')).toBeHidden();
      await next(host, t('console.next_review'));
      // The link, made once and then known on this device, with its picture.
      await host.getByRole('button', { name: t('console.make_review_link'), exact: true }).click();
      await expect(host.getByRole('img', { name: t('console.review_qr') })).toBeVisible();
      const link = await host.locator('.review-way input').inputValue();
      expect(link).toContain(`/review/${cafe.id}#`);
      await host.reload();
      await expect(host.locator('.review-way input')).toHaveValue(link);
      // Management is told of everybody who took part.
      const office = await device(browser, language, phone, true);
      const reviewer = await office.newPage();
      watch(reviewer, errors);
      await reviewer.goto(server.base + new URL(link).pathname + new URL(link).hash);
      const exported = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
      expect(exported.participants).toHaveLength(3);
      await expect(reviewer.locator('.review-figures')).toContainText(/^3 /);
      await office.close();
      // Closing asks, because nobody has decided.
      await next(host, t('console.next_close'));
      const asked = host.getByRole('dialog', { name: t('console.close_title') });
      await expect(asked.getByText(t('console.close_text', { n: 1 }))).toBeVisible();
      expect((await server.view(cafe.id, cafe.facilitator_token)).phase).toBe('review');
      await asked.getByRole('button', { name: t('console.next_close'), exact: true }).click();
      await until('it is closed', async () => (await server.view(cafe.id, cafe.facilitator_token)).phase === 'closed');
      expect(errors).toEqual([]);
    } finally {
      await desk.close();
      await server.stop();
    }
  });
}
