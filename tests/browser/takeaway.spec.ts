// Management takes the plan away as PDF, and reads why where the server has no font for it.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { device, laptop, phone, Server, until, watch } from './cafe.ts';
import { type Language, text } from './texts.ts';

// There is no vote without a theme, and no plan without a vote.
async function theme(host: Page, server: InstanceType<typeof Server>, cafe: Cafe, t: (key: string) => string) {
  await host.goto(`${server.base}${new URL(cafe.facilitator_url).pathname}${new URL(cafe.facilitator_url).hash}`);
  await host.getByRole('button', { name: t('harvest.new_theme'), exact: true }).first().click();
  await host.locator('.theme').last().getByRole('textbox').first().fill('Theme');
  await until('the theme', async () => {
    const { themes } = await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token });
    return themes[0]?.title === 'Theme';
  });
  await host.close();
}

type Cafe = { id: string; facilitator_token: string; facilitator_url: string };

for (const language of ['zh-CN', 'en'] as Language[]) {
  test(`X-5 X-6: the plan is saved as PDF, or the page says why not, in ${language}`, async ({ browser }) => {
    const t = (key: string, values = {}) => text(language, key, values);
    const server = await Server.start();
    const nothing = await mkdtemp(path.join(tmpdir(), 'no-fonts-'));
    const errors: string[] = [];
    const [pocket, desk] = [await device(browser, language, phone, true), await device(browser, language, laptop)];
    try {
      const cafe = await server.create({ title: 'Plan', language, template: 'classic' });
      for (const phase of ['lobby', 'rounds', 'gallery', 'harvest', 'vote', 'plan', 'review']) {
        if (phase === 'rounds') await server.join(cafe.join_code, 'Ann');
        if (phase === 'vote') await theme(await desk.newPage(), server, cafe, t);
        await server.command(cafe.id, cafe.facilitator_token, { type: 'go_to', phase });
      }
      const pages = [await desk.newPage(), await pocket.newPage()];
      const open = async () => {
        for (const page of pages) {
          watch(page, errors);
          await page.goto(`${server.base}/review/${cafe.id}#${cafe.review_token}`);
          await expect(page.getByRole('button', { name: t('console.export_pdf'), exact: true })).toBeVisible();
        }
      };
      await open();
      for (const page of pages) {
        // First among the documents: the one that everybody can open.
        await expect(page.locator('.take-away').getByRole('button').first()).toHaveText(t('console.export_pdf'));
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('button', { name: t('console.export_pdf'), exact: true }).click(),
        ]);
        expect(download.suggestedFilename()).toMatch(/\.pdf$/);
        const file = await readFile(await download.path());
        expect(file.subarray(0, 5).toString()).toBe('%PDF-');
      }
      server.settings = { TABLEHOP_FONTS: nothing };
      await server.end('SIGTERM');
      await server.restart();
      await open();
      for (const page of pages) {
        await page.getByRole('button', { name: t('console.export_pdf'), exact: true }).click();
        await expect(page.getByText(t('common.error.no_font'))).toBeVisible();
        // The way out that it names is there and works.
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('button', { name: t('console.export_word'), exact: true }).click(),
        ]);
        expect(download.suggestedFilename()).toMatch(/\.docx$/);
      }
      expect(errors).toEqual([]);
    } finally {
      await pocket.close();
      await desk.close();
      await server.stop();
      await rm(nothing, { recursive: true });
    }
  });
}
