// A café on a plain http address, as in a meeting room: no secure context, so no clipboard, no service worker, no crypto.randomUUID.
import { chromium, expect, test } from '@playwright/test';
import { join, phone, saved, Server, write } from './cafe.ts';
import { text } from './texts.ts';
import config from './playwright.config.ts';

test('P-5: a guest joins, sits down and writes over plain http', async () => {
  const server = await Server.start();
  const base = `http://cafe.test:${server.port}`;
  server.settings = { TABLEHOP_PUBLIC_URL: base };
  await server.kill();
  await server.restart();
  const { executablePath, args } = config.use!.launchOptions!;
  // The name is this machine's loopback address, but the browser does not trust it as it trusts `localhost`.
  const browser = await chromium.launch({ executablePath, args: [...args!, '--host-resolver-rules=MAP cafe.test 127.0.0.1'] });
  try {
    const cafe = await server.create({
      title: '局域网',
      tables: [{ topic: '甲' }, { topic: '乙' }],
      rounds: [{ minutes: 20 }],
      settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
    });
    await server.command(cafe.id, cafe.facilitator_token, { type: 'go_to', phase: 'lobby' });
    const page = await browser.newPage({ viewport: phone, locale: 'zh-CN', reducedMotion: 'reduce' });
    await join(page, 'zh-CN', base, cafe.join_code, '李雷');
    expect(await page.evaluate(() => window.isSecureContext)).toBe(false);
    await server.command(cafe.id, cafe.facilitator_token, { type: 'next_round' });
    await page.getByRole('button', { name: text('zh-CN', 'cafe.i_am_here') }).click();
    await write(page, 'zh-CN', '没有加密连接也能写');
    await saved(page, 'zh-CN');
    // The facilitator's console too, opened from its link.
    const console = await browser.newPage({ locale: 'zh-CN' });
    await console.goto(`${base}/host/${cafe.id}#${cafe.facilitator_token}`);
    await expect(console.getByRole('button', { name: text('zh-CN', 'console.next_end_round', { n: 1 }), exact: true })).toBeVisible();
  } finally {
    await browser.close();
    await server.stop();
  }
});
