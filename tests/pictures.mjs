// Takes the pictures in docs/images from a café with simulated guests: `node pictures.mjs [folder]` in tests/, after `cargo xtask build --dev`
// and `cargo build -p tablehop-tests`.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import readline from 'node:readline';
import { chromium } from '@playwright/test';
import { Server } from './lib/tablehop.mjs';

const folder = process.argv[2] ?? path.resolve('../docs/images');
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

async function shoot(language, short) {
  const server = await Server.start();
  const program = process.env.TABLEHOP_GUESTS ?? path.resolve('../target/debug/tablehop-guests');
  const demo = spawn(program, ['--server', server.base, 'demo', '--language', language, '--guests', '18', '--minutes', '20'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const links = await new Promise(resolve => {
    const found = [];
    readline.createInterface({ input: demo.stdout }).on('line', line => {
      const link = /^\s+(facilitator|participant|reviewer)\s+(\S+)/.exec(line);
      if (link) found.push(link[2]);
      if (found.length === 4) resolve(found);
    });
  });
  const [host, guest, reviewer, past] = links;
  const context = (viewport, mobile) =>
    browser.newContext({ viewport, locale: language, isMobile: mobile, hasTouch: mobile, deviceScaleFactor: mobile ? 2 : 1, reducedMotion: 'reduce' });
  const [laptop, phone] = [await context({ width: 1440, height: 900 }, false), await context({ width: 390, height: 844 }, true)];
  const take = async (page, name) => {
    await page.waitForTimeout(1200);
    await page.screenshot({ path: path.join(folder, `${name}-${short}.png`) });
  };
  const desk = await laptop.newPage();
  const pocket = await phone.newPage();
  for (const [page, size] of [[desk, ''], [pocket, '-phone']]) {
    await page.goto(server.base);
    await page.locator('.template-link').nth(3).waitFor();
    await take(page, `home${size}`);
    await page.goto(`${server.base}/new?template=moments-of-truth`);
    await page.locator('input').nth(1).waitFor();
    await take(page, `new${size}`);
  }
  await pocket.goto(guest);
  await pocket.locator('form.join-name input').first().waitFor();
  await take(pocket, 'join-phone');
  await pocket.locator('form.join-name input').first().fill(language === 'en' ? 'Mei' : '梅姐');
  await pocket.locator('form.join-name button[type=submit]').click();
  await pocket.locator('.moving-there').waitFor();
  await take(pocket, 'moving-phone');
  await pocket.locator('.moving-there').click();
  // Until the guests have written something worth looking at.
  await pocket.waitForFunction(() => document.querySelectorAll('.note').length >= 5, null, { timeout: 120_000 });
  await take(pocket, 'table-phone');
  await desk.goto(host);
  await desk.locator('.console-next').waitFor();
  await take(desk, 'console');
  await pocket.goto(host);
  await pocket.locator('.console-next').waitFor();
  await take(pocket, 'console-phone');
  const [, id] = /\/host\/([^#]+)/.exec(host);
  await desk.goto(`${server.base}/host/${id}/board/3`);
  await desk.locator('.note').first().waitFor();
  await take(desk, 'canvas');
  await desk.goto(`${server.base}/host/${id}/projector`);
  await take(desk, 'projector');
  for (const [page, size] of [[desk, ''], [pocket, '-phone']]) {
    await page.goto(reviewer);
    await page.locator('.review-action').first().waitFor();
    await take(page, `plan${size}`);
    await page.locator('.review-action summary').first().click();
    await page.locator('.review-action').first().scrollIntoViewIfNeeded();
    await take(page, `review-open${size}`);
  }
  const [, old, token] = /\/host\/([^#]+)#(.+)/.exec(past);
  const steps = [['plan', 'plan-edit'], ['vote', 'vote'], ['harvest', 'harvest'], ['gallery', 'gallery']];
  await desk.goto(past);
  await pocket.goto(past);
  for (const [phase, name] of steps) {
    await server.command(old, token, { type: 'go_to', phase });
    await take(desk, name);
    await take(pocket, `${name}-phone`);
  }
  demo.kill();
  await Promise.all([laptop.close(), phone.close()]);
  await server.stop();
}

for (const [language, short] of [['zh-CN', 'zh'], ['en', 'en']]) await shoot(language, short);
await browser.close();
