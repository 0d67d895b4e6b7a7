// A plan that is being prepared, and a page whose code fails.
import { type BrowserContext, expect, type Page, test } from '@playwright/test';
import { device, join, laptop, phone, saved, Server, watch, write } from './cafe.ts';
import { type Language, text } from './texts.ts';

let server: InstanceType<typeof Server>;
const open: BrowserContext[] = [];

test.beforeAll(async () => {
  server = await Server.start();
});
test.afterEach(() => Promise.all(open.splice(0).map(context => context.close())));
test.afterAll(() => server.stop());

async function page(browser: import('@playwright/test').Browser, language: Language, errors: string[], size = laptop): Promise<Page> {
  const context = await device(browser, language, size, size === phone);
  open.push(context);
  const page = await context.newPage();
  watch(page, errors);
  return page;
}

const field = (page: Page, name: string) => page.locator(`[data-field="${name}"]`);

for (const language of ['zh-CN', 'en'] as Language[]) {
  const t = (key: string, values = {}) => text(language, key, values);

  test(`P-11: two consoles prepare one café, and each takes what the other wrote in ${language}`, async ({ browser }) => {
    const errors: string[] = [];
    const cafe = await server.create({ title: 'Draft', language, tables: [{ topic: 'A' }, { topic: 'B' }], rounds: [{ minutes: 20 }] });
    const draft = async () => (await server.view(cafe.id, cafe.facilitator_token)).part.draft;
    const [one, other] = [await page(browser, language, errors), await page(browser, language, errors)];
    for (const console of [one, other]) {
      await console.goto(`${server.base}/host/${cafe.id}#${cafe.facilitator_token}`);
      await expect(field(console, 'title')).toHaveValue('Draft');
    }
    // One of them stands in a field while the other's changes come in; they take neither the focus nor the page.
    await field(one, 'tables.1.topic').focus();
    for (const round of [1, 2, 3]) {
      await field(other, 'title').fill(`From the other ${round}`);
      await expect(field(one, 'title')).toHaveValue(`From the other ${round}`);
      await expect(field(one, 'tables.1.topic')).toBeFocused();
      await field(one, 'tables.1.topic').fill(`From the one ${round}`);
      await expect(field(other, 'tables.1.topic')).toHaveValue(`From the one ${round}`);
      expect((await draft()).tables[1].topic).toBe(`From the one ${round}`);
    }
    // A table that is added on one is there on the other, and both write in it.
    await one.getByRole('button', { name: t('new.add_table') }).click();
    await field(one, 'tables.2.topic').fill('C');
    await expect(field(other, 'tables.2.topic')).toHaveValue('C');
    await field(other, 'tables.2.topic').fill('Third');
    await expect(field(one, 'tables.2.topic')).toHaveValue('Third');
    await expect(one.getByText(t('console.draft_saved'), { exact: true })).toBeVisible();
    await one.reload();
    await expect(field(one, 'tables.2.topic')).toHaveValue('Third');
    expect(errors).toEqual([]);
  });

  test(`P-11: starting over leaves a form that can be written in and created in ${language}`, async ({ browser }) => {
    const errors: string[] = [];
    const host = await page(browser, language, errors);
    await host.goto(`${server.base}/new?template=classic`);
    const before = await field(host, 'tables.0.topic').inputValue();
    await field(host, 'tables.0.topic').fill('Mine');
    await host.getByRole('button', { name: t('new.add_table') }).click();
    await host.reload();
    await expect(field(host, 'tables.0.topic')).toHaveValue('Mine');
    await host.getByRole('button', { name: t('new.start_over') }).click();
    await expect(field(host, 'tables.0.topic')).toHaveValue(before);
    await field(host, 'tables.0.topic').fill('Begun anew');
    await host.getByRole('button', { name: t('new.add_round') }).click();
    await host.getByRole('button', { name: t('new.create') }).click();
    await host.waitForURL(/\/host\//);
    await expect(field(host, 'tables.0.topic')).toHaveValue('Begun anew');
    expect(errors).toEqual([]);
  });

  test(`P-12: a page whose code has failed says so, and no longer that it saves, in ${language}`, async ({ browser }) => {
    const cafe = await server.create({
      title: 'Stopped',
      language,
      tables: [{ topic: 'A' }, { topic: 'B' }],
      rounds: [{ minutes: 60 }],
      settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
    });
    const command = (command: object) => server.command(cafe.id, cafe.facilitator_token, command);
    await command({ type: 'go_to', phase: 'lobby' });
    const guest = await page(browser, language, [], phone);
    await join(guest, language, server.base, cafe.join_code, 'Li');
    await command({ type: 'next_round' });
    await guest.locator('.moving-there').tap();
    await write(guest, language, 'Before that');
    await saved(guest, language);
    await expect(guest.locator('.page-stopped')).toBeHidden();
    // A browser that makes no elements any more: what draws the next note cannot go on.
    await guest.evaluate(() => {
      Node.prototype.cloneNode = () => {
        throw new Error('no more elements');
      };
      Document.prototype.createElement = () => {
        throw new Error('no more elements');
      };
    });
    const form = guest.getByRole('form', { name: text(language, 'board.compose') });
    await form.getByRole('textbox').fill('Drawn no more');
    await form.getByRole('button', { name: text(language, 'board.post') }).click();
    await expect(guest.getByRole('alert').getByText(t('common.stopped'))).toBeVisible();
    await expect(guest.getByText(t('cafe.saved'), { exact: true })).toBeHidden();
    await guest.getByRole('link', { name: t('common.load_again') }).click();
    await expect(guest.getByText('Before that').first()).toBeVisible();
    await expect(guest.locator('.page-stopped')).toBeHidden();
    await saved(guest, language);
  });
}
