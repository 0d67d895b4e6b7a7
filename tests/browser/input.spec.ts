// Bad input: each gets a clear answer in the reader's language, and nothing else is disturbed.
import { type BrowserContext, expect, test } from '@playwright/test';
import { device, laptop, next, phone, Server, watch } from './cafe.ts';
import { type Language, text } from './texts.ts';

let server: InstanceType<typeof Server>;
const open: BrowserContext[] = [];

test.beforeAll(async () => {
  server = await Server.start();
});
test.afterEach(() => Promise.all(open.splice(0).map(context => context.close())));
test.afterAll(() => server.stop());

async function page(browser: import('@playwright/test').Browser, language: Language, viewport = phone, touch = true) {
  const context = await device(browser, language, viewport, touch);
  open.push(context);
  const page = await context.newPage();
  watch(page, []);
  return page;
}

const small = (language: Language) => ({
  title: language === 'en' ? 'Small café' : '小咖啡馆',
  language,
  tables: [{ topic: 'A' }, { topic: 'B' }],
  rounds: [{ minutes: 60 }],
  settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
});

// The words of an error as the page says them.
const said = (language: Language, code: string, values = {}) => text(language, `common.error.${code}`, values);

for (const language of ['zh-CN', 'en'] as Language[]) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`P-8 H-2: codes that are short, wrong or of a closed café in ${language}`, async ({ browser }) => {
    const guest = await page(browser, language);
    await guest.goto(server.base);
    const code = guest.getByLabel(t('home.code'), { exact: true });
    await code.fill('AB12');
    await guest.getByRole('button', { name: t('home.join'), exact: true }).click();
    await expect(guest.getByText(t('home.code_short'))).toBeVisible();
    await code.fill('zzzz 9999');
    await guest.getByRole('button', { name: t('home.join'), exact: true }).click();
    await expect(guest.getByRole('heading', { name: said(language, 'bad_code') })).toBeVisible();

    // A café nobody can join any more says so on its own page, and a theme is needed to get it that far.
    const cafe = await server.create(small(language));
    const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
    await command({ type: 'go_to', phase: 'lobby' });
    await server.join(cafe.join_code, 'Bo');
    for (const phase of ['rounds', 'gallery', 'harvest']) await command({ type: 'go_to', phase });
    const host = await page(browser, language, laptop, false);
    await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
    await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
    await host.locator('.theme').getByRole('textbox').first().fill('A');
    await expect(async () => {
      await command({ type: 'go_to', phase: 'vote' });
    }).toPass({ timeout: 15_000 });
    await command({ type: 'close_vote' });
    for (const phase of ['plan', 'review', 'closed']) await command({ type: 'go_to', phase });
    await code.or(guest.getByRole('textbox')).first().fill(cafe.join_code);
    await guest.getByRole('button', { name: t('home.join'), exact: true }).click();
    const name = guest.getByLabel(t('join.name'), { exact: false }).first();
    const refused = guest.getByText(said(language, 'closed')).or(guest.getByText(said(language, 'bad_code')));
    await expect(name.or(refused).first()).toBeVisible();
    if (await name.isVisible()) {
      await name.fill('Li');
      await guest.getByRole('button', { name: t('join.enter') }).click();
    }
    await expect(refused.first()).toBeVisible();
    expect(guest.url()).toContain('/j/');
  });

  test(`P-8 H-7: names that are empty, endless or full of control characters in ${language}`, async ({ browser }) => {
    const cafe = await server.create(small(language));
    await server.command(cafe.id, cafe.facilitator_token, { type: 'go_to', phase: 'lobby' });
    const guest = await page(browser, language);
    await guest.goto(`${server.base}/j/${cafe.join_code}`);
    const name = guest.getByLabel(t('join.name'), { exact: false }).first();
    const enter = guest.getByRole('button', { name: t('join.enter') });
    await name.fill('   ');
    await enter.click();
    await expect(guest.getByText(t('join.name_needed'))).toBeVisible();
    await name.fill('长'.repeat(10_000));
    await enter.click();
    await expect(guest.getByText(said(language, 'too_long', { limit: 40 }))).toBeVisible();
    await name.fill('Li\u202eBo');
    await enter.click();
    await expect(guest.getByText(said(language, 'control_characters'))).toBeVisible();
    // Nobody came in, and a good name still does.
    expect((await server.view(cafe.id, cafe.facilitator_token)).people_count).toBe(0);
    await name.fill('李雷');
    await enter.click();
    await guest.waitForURL(/\/w\//);
    expect((await server.view(cafe.id, cafe.facilitator_token)).people_count).toBe(1);
  });

  test(`P-8: a table of one, one table and endless texts are marked in the form in ${language}`, async ({ browser }) => {
    const host = await page(browser, language, laptop, false);
    await host.goto(`${server.base}/new?template=classic`);
    const create = host.getByRole('button', { name: t('new.create') });
    await host.getByLabel(t('new.seats'), { exact: false }).first().fill('1');
    await host.getByLabel(t('new.title'), { exact: false }).first().fill('长'.repeat(10_000));
    await host.getByLabel(t('new.minutes'), { exact: false }).first().fill('soon');
    await create.click();
    await expect(host.getByText(t('new.mend')).first()).toBeVisible();
    await expect(host.locator('[aria-invalid="true"]')).toHaveCount(3);
    // A number out of its range is told the range.
    await expect(host.getByText(t('new.out_of_range', { min: 2, max: 20 }))).toBeVisible();
    expect(host.url()).toContain('/new');
    await host.getByLabel(t('new.seats'), { exact: false }).first().fill('5');
    await host.getByLabel(t('new.title'), { exact: false }).first().fill('A');
    await host.getByLabel(t('new.minutes'), { exact: false }).first().fill('20');
    await create.click();
    await host.waitForURL(/\/host\//);
  });

  test(`P-8 W-3: starting with nobody, and a press that comes too late, change nothing in ${language}`, async ({ browser }) => {
    const host = await page(browser, language, laptop, false);
    const cafe = await server.create(small(language));
    await server.command(cafe.id, cafe.facilitator_token, { type: 'go_to', phase: 'lobby' });
    // A screen that has not heard yet what a co-facilitator just did: the network holds the news back.
    let held = false;
    await host.routeWebSocket(/\/collab/, socket => {
      const upstream = socket.connectToServer();
      socket.onMessage(message => upstream.send(message));
      upstream.onMessage(message => {
        if (!held) socket.send(message);
      });
    });
    await host.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
    await next(host, t('console.next_round', { n: 1 }));
    await expect(host.getByText(said(language, 'nobody_here'))).toBeVisible();
    expect((await server.view(cafe.id, cafe.facilitator_token)).phase).toBe('lobby');
    await server.join(cafe.join_code, 'Li');
    await expect(host.getByRole('heading', { name: t('console.here', { n: 1 }) })).toBeVisible();
    held = true;
    await server.command(cafe.id, cafe.facilitator_token, { type: 'next_round' });
    const before = await server.view(cafe.id, cafe.facilitator_token);
    await next(host, t('console.next_round', { n: 1 }));
    await expect(host.getByText(said(language, 'wrong_round_status'))).toBeVisible();
    const after = await server.view(cafe.id, cafe.facilitator_token);
    expect([after.seq, after.round]).toEqual([before.seq, before.round]);
  });
}
