// A café in the browser: the facilitator's laptop, a participant's phone, a reviewer's laptop.
import AxeBuilder from '@axe-core/playwright';
import { type Browser, type BrowserContext, expect, type Page } from '@playwright/test';
// @ts-expect-error plain JavaScript, shared with the tests of other clients
import { Guests, Server, until } from '../lib/tablehop.mjs';
import { type Language, text } from './texts.ts';

export { Guests, Server, until };
export const laptop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

// Errors in any page's console end the test that looks at them.
export function watch(page: Page, errors: string[]) {
  page.on('pageerror', error => errors.push(`${page.url()}: ${error.message}`));
  page.on('console', message => {
    // A server that is killed on purpose refuses connections; the browser reports that as an error of its own.
    if (message.type() === 'error' && !/ERR_CONNECTION|WebSocket connection|Failed to load resource/.test(message.text())) {
      errors.push(`${page.url()}: ${message.text()}`);
    }
  });
}

export async function device(
  browser: Browser,
  language: Language,
  viewport: { width: number; height: number },
  touch = false,
): Promise<BrowserContext> {
  return browser.newContext({ viewport, locale: language, hasTouch: touch, isMobile: touch, reducedMotion: 'reduce' });
}

// The phone joins through the link behind the QR picture.
export async function join(page: Page, language: Language, base: string, code: string, name: string) {
  await page.goto(`${base}/j/${code}`);
  await page.getByLabel(text(language, 'join.name'), { exact: false }).first().fill(name);
  await page.getByRole('button', { name: text(language, 'join.enter') }).click();
  await page.waitForURL(/\/w\//);
}

// The console's one next step.
export async function next(page: Page, words: string) {
  const button = page.getByRole('button', { name: words, exact: true });
  await expect(button).toBeVisible();
  await button.click();
}

// What this device knows of a café: the tokens that the page itself uses.
export async function known(page: Page): Promise<{ workshop: string; token: string; role: string }[]> {
  return page.evaluate(() => JSON.parse(localStorage.getItem('tablehop.cafes') ?? '[]'));
}

// Writes a note with the composer and waits until it is shown.
export async function write(page: Page, language: Language, words: string) {
  const form = page.getByRole('form', { name: text(language, 'board.compose') });
  await form.getByRole('textbox').fill(words);
  await form.getByRole('button', { name: text(language, 'board.post') }).click();
  await expect(page.getByText(words).first()).toBeVisible();
}

// Everything this page wrote is on the server's disk, by the page's own sign.
export async function saved(page: Page, language: Language) {
  await expect(page.getByText(text(language, 'cafe.saved'), { exact: true }).first()).toBeVisible({ timeout: 20_000 });
}

// No serious violation on this page, in the light and in the dark; `where` names it.
export async function accessible(page: Page, where: string) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const bad = violations
      .filter(v => v.impact === 'serious' || v.impact === 'critical')
      .map(v => `${where} (${colorScheme}): ${v.id}: ${v.nodes.map(n => n.target.join(' ')).join(' | ')}`);
    expect.soft(bad).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}
