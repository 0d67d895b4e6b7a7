// How the stages of a journey feel: asked on a phone, read on the facilitator's laptop.
import { expect, test } from '@playwright/test';
import { accessible, device, join, laptop, next, phone, Server, until, watch } from './cafe.ts';
import { type Language, text } from './texts.ts';

for (const language of ['zh-CN', 'en'] as Language[]) {
  test(`P-23 P-24 P-4: a phone says how its stage feels and the laptop reads the journey in ${language}`, async ({ browser }) => {
    const t = (key: string, values = {}) => text(language, key, values);
    const server = await Server.start();
    const errors: string[] = [];
    const [desk, pocket] = [await device(browser, language, laptop), await device(browser, language, phone, true)];
    const [host, guest] = [await desk.newPage(), await pocket.newPage()];
    for (const page of [host, guest]) watch(page, errors);
    try {
      const topics = language === 'en' ? ['Handover', 'Complaint', 'Moving out'] : ['交房', '投诉', '退租'];
      const cafe = await server.create({
        title: 'Journey',
        language,
        tables: topics.map(topic => ({ topic })),
        rounds: [{ minutes: 60, question: 'What happens here?' }],
        settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true, feelings: true },
      });
      const steer = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
      await steer({ type: 'go_to', phase: 'lobby' });
      await join(guest, language, server.base, cafe.join_code, 'Li');
      const others = await Promise.all([...Array(12).keys()].map(n => server.join(cafe.join_code, `Guest ${n}`)));
      await steer({ type: 'next_round' });
      await guest.getByRole('button', { name: t('cafe.i_am_here') }).click();

      // One folded line, and no more of the screen than that.
      const ask = guest.getByRole('button', { name: t('journey.ask'), exact: true });
      await expect(ask).toHaveAttribute('aria-expanded', 'false');
      expect((await guest.locator('.feel').boundingBox())?.height).toBeLessThanOrEqual(52);
      await ask.click();
      const choice = (score: string) => guest.getByRole('button', { name: t(`journey.score_${score}`), exact: true });
      for (const score of ['awful', 'poor', 'so_so', 'good', 'great']) {
        const box = await choice(score).boundingBox();
        expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
        await expect(choice(score).locator('svg')).toBeVisible();
      }
      await accessible(guest, 'the lens on a phone');
      await choice('good').click();
      const given = (score: string) => guest.getByRole('button', { name: t('journey.given', { score: t(`journey.score_${score}`) }), exact: true });
      await expect(given('good')).toHaveAttribute('aria-expanded', 'false');
      const token = await guest.evaluate(() => JSON.parse(localStorage.getItem('tablehop.cafes') ?? '[]')[0].token);
      const mine = async () => (await server.view(cafe.id, token)).feelings.mine?.[0]?.[1];
      await until('the first score', async () => (await mine()) === 1);

      // Without a connection it says so, and sends it afterwards.
      await pocket.setOffline(true);
      await given('good').click();
      await choice('awful').click();
      await expect(guest.getByText(t('journey.unsent'))).toBeVisible({ timeout: 20_000 });
      await pocket.setOffline(false);
      await expect(guest.getByText(t('journey.unsent'))).toBeHidden({ timeout: 30_000 });
      await until('the second score', async () => (await mine()) === -2);
      await guest.reload();
      await expect(given('awful')).toBeVisible();
      await given('awful').click();
      await expect(choice('awful')).toHaveAttribute('aria-pressed', 'true');
      await guest.getByRole('button', { name: t('journey.take_back'), exact: true }).click();
      await expect(ask).toBeVisible();
      await until('no score', async () => (await mine()) === undefined);

      // The others: the first stage is good, the second bad, the third in between.
      for (const { token } of others) {
        const table = (await server.view(cafe.id, token)).part.seat.table.id;
        await server.command(cafe.id, token, { type: 'feel', table, score: [2, -1, 0][table - 1] });
      }
      await host.goto(`${server.base}${new URL(cafe.facilitator_url).pathname}${new URL(cafe.facilitator_url).hash}`);
      const lens = host.locator('.journey');
      const sentence = (trough: string) =>
        t('journey.curve', {
          peak: t('journey.peak', { stage: topics[0], mean: '2.0' }),
          trough,
          end: t('journey.end', { stage: topics[2], mean: '0.0' }),
        });
      const fallen = (line: string) => t('journey.trough_below', { stage: topics[1], mean: '−1.0', line });
      await expect(lens.getByText(sentence(fallen(t('journey.line_said'))), { exact: true })).toBeVisible();
      await expect(lens).not.toHaveAttribute('open');
      // Who is asked does not see it yet.
      await expect(guest.locator('.journey')).toHaveCount(0);
      await next(host, t('console.next_end_round', { n: 1 }));
      await next(host, t('console.next_gallery'));
      // The lens of the rounds is another one than the gallery's.
      await expect(host.locator('.wall')).toHaveCount(topics.length);
      await lens.locator('summary').first().click();
      await expect(lens.locator('.journey-plot')).toHaveAccessibleName(sentence(fallen(t('journey.line_said'))));
      for (const mark of ['peak', 'trough', 'end']) await expect(lens.locator('.journey-plot').getByText(t(`journey.mark_${mark}`), { exact: true })).toBeVisible();
      const row = lens.getByRole('row').filter({ hasText: topics[1] });
      await expect(row).toContainText('−1.0');
      await expect(row).toContainText(t('journey.is_below'));

      // The facilitator names the line and lowers it: nothing falls below it any more.
      await lens.getByText(t('journey.set_line'), { exact: true }).click();
      const label = lens.getByLabel(t('journey.line_label'), { exact: true });
      const level = lens.getByRole('spinbutton', { name: t('journey.line_level'), exact: true });
      const name = language === 'en' ? 'Our promise' : '服务承诺';
      await label.fill(name);
      await level.fill('-3');
      await lens.getByRole('button', { name: t('journey.line_save'), exact: true }).click();
      await expect(lens.getByText(t('journey.level_bad'))).toBeVisible();
      await expect(label).toHaveValue(name);
      await level.fill('-1,5');
      await level.press('Enter');
      const quoted = t('journey.line_quoted', { label: name });
      await expect(lens.getByText(t('journey.none_below', { line: quoted }), { exact: true })).toBeVisible();
      await expect(lens.getByText(sentence(t('journey.trough', { stage: topics[1], mean: '−1.0' })), { exact: true })).toBeVisible();
      await accessible(host, 'the lens on a laptop');

      // On the phone it is folded, and no wider than the screen.
      const seen = guest.locator('.journey');
      await expect(seen).not.toHaveAttribute('open');
      await expect(seen.locator('summary')).toContainText(sentence(t('journey.trough', { stage: topics[1], mean: '−1.0' })));
      await seen.locator('summary').click();
      await expect(seen.locator('.journey-plot')).toBeVisible();
      await expect(seen.getByText(t('journey.set_line'))).toHaveCount(0);
      expect(await guest.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width);
      await accessible(guest, 'the lens on a phone');
      expect(errors).toEqual([]);
    } finally {
      await Promise.all([desk.close(), pocket.close()]);
      await server.stop();
    }
  });
}
