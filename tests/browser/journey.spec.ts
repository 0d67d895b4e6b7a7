// A whole café from an empty page to a plan that management has decided on: three real pages, and 21 further guests over real sockets.
// The server is killed in the middle of round 2.
import { expect, test } from '@playwright/test';
import { device, Guests, join, known, laptop, next, phone, saved, Server, until, watch, write } from './cafe.ts';
import { type Language, text } from './texts.ts';

type Note = { id: string; text: string; table: number };

for (const language of ['zh-CN', 'en'] as Language[]) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`X-1 X-2 D-3: a whole café in ${language}`, async ({ browser }) => {
    const server = await Server.start();
    const errors: string[] = [];
    const [desk, pocket, office] = [
      await device(browser, language, laptop),
      await device(browser, language, phone, true),
      await device(browser, language, laptop),
    ];
    const host = await desk.newPage();
    const guest = await pocket.newPage();
    const reviewer = await office.newPage();
    for (const page of [host, guest, reviewer]) watch(page, errors);
    let guests: InstanceType<typeof Guests> | undefined;
    try {
      // The facilitator prepares a café from the owner-journey template.
      await host.goto(server.base);
      await host.locator('a[href*="template=owner-journey"]').click();
      const create = host.getByRole('button', { name: t('new.create') });
      await expect(create).toBeVisible();
      const moving = host.getByLabel(t('new.moving'), { exact: false }).first();
      await moving.fill('0');
      await host.getByLabel(t('new.seats'), { exact: false }).first().fill('6');
      // The first round ends by its own clock; the others last until the facilitator ends them.
      await host.getByLabel(t('new.minutes'), { exact: false }).first().fill('0.4');
      await create.click();
      await host.waitForURL(/\/host\//);
      const [identity] = await known(host);
      const id = identity.workshop;
      await next(host, t('console.next_open'));
      const code = (await host.locator('.join-way-code').innerText()).replace(/[^A-Z0-9]/g, '');
      expect(code).toHaveLength(8);

      // People arrive: one phone in a browser, 21 over sockets.
      await join(guest, language, server.base, code, language === 'en' ? 'Mei' : '梅姐');
      guests = new Guests(server, code, { guests: 21, language, notes: 2, pace: 150, seed: 11 });
      await expect(host.getByRole('heading', { name: t('console.here', { n: 22 }) })).toBeVisible({ timeout: 30_000 });

      // Three rounds. In each the phone takes its seat with one tap, writes, and builds on a note.
      const mine: string[] = [];
      for (const round of [1, 2, 3]) {
        await next(host, t('console.next_round', { n: round }));
        // Whoever stays as the table's host is told so in other words; the button is the same.
        await guest.getByRole('dialog').locator('.moving-there').click();
        const words = language === 'en' ? `Call back the same day (${round})` : `维修后当天回访 ${round}`;
        await write(guest, language, words);
        mine.push(words);
        if (round === 2) {
          await saved(guest, language);
          await server.kill();
          // Writing goes on without the server.
          const offline = language === 'en' ? 'Written while the server was away' : '服务器不在的时候写的';
          await write(guest, language, offline);
          mine.push(offline);
          await expect(guest.getByText(t('cafe.offline_short'), { exact: true }).first()).toBeVisible();
          await server.restart();
        }
        await saved(guest, language);
        await until(`${round * 42} notes`, () => guests!.wrote.length >= round * 42, 60);
        if (round === 3) {
          await guest.locator('.note-reply').first().click();
          const more = language === 'en' ? 'Yes, and with a photo' : '对，再附一张照片';
          await write(guest, language, more);
          mine.push(more);
          await saved(guest, language);
        }
        if (round > 1) await next(host, t('console.next_end_round', { n: round }));
        else await expect(guest.getByText(t('cafe.time_up'))).toBeVisible({ timeout: 30_000 });
      }

      // Gallery: all boards are there for everybody.
      await next(host, t('console.next_gallery'));
      await expect(host.locator('.wall')).toHaveCount(4);
      await expect(guest.locator('.wall').first()).toBeVisible();

      // Harvest: two themes, some notes tapped into them; the rest stays counted.
      await next(host, t('console.next_harvest'));
      const themes = language === 'en' ? ['Hear back always', 'Remembered from day one'] : ['事事有回音', '第一天就被记住'];
      for (const title of themes) {
        await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
        const field = host.locator('.theme').last().getByRole('textbox').first();
        await field.fill(title);
      }
      for (let n = 0; n < 6; n += 1) {
        await host.locator('.unplaced .placed').first().click();
        await host.locator('.pick-bar').getByRole('button', { name: themes[n % 2], exact: true }).click();
        await expect(host.locator('.pick-bar')).toBeHidden();
      }
      await expect(host.locator('.theme').first().locator('.placed').first()).toBeVisible();

      // Vote: the phone places its dots, the guests theirs; the counts stay hidden until the end.
      await until('both themes and their notes are stored', async () => {
        const stored = await server.request('GET', `/api/workshops/${id}/export/json`, { token: identity.token });
        return stored.themes.length === 2 && stored.themes.every((theme: { notes: unknown[] }) => theme.notes.length >= 3);
      });
      await next(host, t('console.next_vote'));
      const more = guest.getByRole('button', { name: t('vote.more', { theme: themes[0] }) });
      await more.click();
      await expect(guest.getByText(t('vote.left', { n: 2 }))).toBeVisible();
      await until('20 voters', async () => (await server.view(id, identity.token)).vote.voters >= 20, 40);
      await next(host, t('console.next_close_vote'));
      await expect(host.locator('.ranking-row').first()).toBeVisible();

      // Plan: both themes become actions.
      await next(host, t('console.next_plan'));
      for (const n of [0, 1]) await host.getByRole('button', { name: t('plan.make') }).nth(n).click();
      await expect(host.locator('.action')).toHaveCount(2);
      const first = host.locator('.action').first();
      await first.getByLabel(t('plan.field_accountable')).fill(language === 'en' ? 'Engineering, Huang' : '工程部 黄志强');
      await first.getByLabel(t('plan.due')).fill('2027-01-31');
      await expect(first.locator('.source').first()).toBeVisible();

      // Review: management's link, no code; one approval, one decline with a reason.
      const link = await server.request('POST', `/api/workshops/${id}/links`, { token: identity.token, body: { role: 'reviewer' } });
      await next(host, t('console.next_review'));
      await reviewer.goto(server.base + new URL(link.url).pathname + new URL(link.url).hash);
      const actions = reviewer.locator('.review-action');
      await expect(actions).toHaveCount(2);
      const decide = async (index: number, verdict: string, reason: string) => {
        const action = actions.nth(index);
        if (!(await action.getByRole('button', { name: verdict, exact: true }).isVisible())) await action.locator('summary').first().click();
        const form = action.locator('.decide');
        await expect(form.getByRole('button', { name: verdict, exact: true })).toBeVisible();
        // The name is asked for once and remembered.
        const name = form.getByLabel(t('review.your_name'), { exact: false });
        if (index === 0) await name.fill(language === 'en' ? 'Ms Zhou' : '周总');
        if (reason) await form.getByLabel(t('review.reason'), { exact: false }).fill(reason);
        await form.getByRole('button', { name: verdict, exact: true }).click();
      };
      await decide(0, t('review.approve'), '');
      await expect(actions.nth(0).locator('.verdict-approve').first()).toBeVisible();
      // Declining without a reason is refused in words, and nothing is lost.
      await decide(1, t('review.decline'), '');
      await expect(actions.nth(1).getByText(t('review.reason_needed'))).toBeVisible();
      await decide(1, t('review.decline'), language === 'en' ? 'Not this year' : '今年预算不够');
      await expect(actions.nth(1).locator('.verdict-decline').first()).toBeVisible();
      // The facilitator sees it at once.
      await expect(host.locator('.verdict-approve').first()).toBeVisible();
      await expect(host.locator('.verdict-decline').first()).toBeVisible();
      // So does everybody who made the plan, with the reason.
      const seen = guest.locator('.review-action');
      await expect(seen.nth(0).locator('.verdict-approve').first()).toBeVisible();
      await expect(seen.nth(1).locator('.decision-made')).toContainText(language === 'en' ? 'Not this year' : '今年预算不够');

      // At the end every note that was written is in the export.
      const all = await server.request('GET', `/api/workshops/${id}/export/json`, { token: identity.token });
      const notes: Note[] = all.tables.flatMap((table: { notes: Note[] }) => table.notes);
      const ids = new Set(notes.map(note => note.id));
      expect(guests.wrote.length).toBeGreaterThanOrEqual(126);
      for (const note of guests.wrote) expect(ids, `${note.author}: ${note.text}`).toContain(note.note);
      for (const words of mine) expect(notes.map(note => note.text)).toContain(words);
      expect(errors).toEqual([]);
    } finally {
      guests?.stop();
      await Promise.all([desk.close(), pocket.close(), office.close()]);
      await server.stop();
    }
  });
}
