// The client comes in parts; the network of a meeting room comes and goes.
import { expect, test } from '@playwright/test';
import { device, phone, Server } from './cafe.ts';
import { text } from './texts.ts';

test('P-10: a part that cannot be fetched is asked for until it is there, and the page says so', async ({ browser }) => {
  const server = await Server.start();
  const context = await device(browser, 'zh-CN', phone, true);
  const page = await context.newPage();
  let asked = 0;
  await page.route('**/part-*.wasm', route => {
    asked += 1;
    return route.abort();
  });
  try {
    await page.goto(`${server.base}/new?template=owner-journey`);
    await expect(page.getByText(text('zh-CN', 'common.part_waits'))).toBeVisible();
    await expect(page.getByRole('button', { name: text('zh-CN', 'common.load_again') })).toBeVisible();
    const before = asked;
    await expect.poll(() => asked).toBeGreaterThan(before);
    await page.unroute('**/part-*.wasm');
    await expect(page.getByRole('button', { name: text('zh-CN', 'new.create') })).toBeVisible({ timeout: 30_000 });
  } finally {
    await context.close();
    await server.stop();
  }
});
