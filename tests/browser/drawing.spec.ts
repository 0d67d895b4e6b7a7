// The tablecloth is drawn on, by mouse and by finger, and everybody sees it.
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { accessible, device, join, laptop, phone, saved, Server, watch } from './cafe.ts';
import { text } from './texts.ts';

const language = 'zh-CN' as const;
const t = (key: string, values = {}) => text(language, key, values);
const open: BrowserContext[] = [];
let server: InstanceType<typeof Server>;
let cafe: { id: string; join_code: string; facilitator_token: string };

test.beforeEach(async () => {
  server = await Server.start();
  cafe = await server.create({
    title: '画画',
    language,
    tables: [{ topic: '甲' }, { topic: '乙' }],
    rounds: [{ minutes: 60 }],
    settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
  });
  await server.command(cafe.id, cafe.facilitator_token, { type: 'go_to', phase: 'lobby' });
});

test.afterEach(async () => {
  await Promise.all(open.splice(0).map(context => context.close()));
  await server.stop();
});

async function person(browser: Browser, name: string, viewport: typeof phone, touch: boolean): Promise<Page> {
  const context = await device(browser, language, viewport, touch);
  open.push(context);
  const page = await context.newPage();
  watch(page, []);
  await join(page, language, server.base, cafe.join_code, name);
  return page;
}

const lines = (page: Page) => page.locator('.canvas-world .ink path[d^="M"]');
const tool = (page: Page, key: string) => page.getByRole('toolbar').getByRole('button', { name: t(key), exact: true });

// Along a wave through the middle of the canvas.
async function draw(page: Page, from: number, down: number) {
  const box = (await page.locator('.canvas-stage').boundingBox())!;
  const at = (n: number): [number, number] => [box.x + from + n * 6, box.y + down + 30 * Math.sin(n / 4)];
  await page.mouse.move(...at(0));
  await page.mouse.down();
  for (let n = 1; n <= 30; n += 1) await page.mouse.move(...at(n));
  await page.mouse.up();
}

test('B-27 P-25: lines are drawn, seen by others, undone, erased, and kept', async ({ browser }) => {
  const painter = await person(browser, '李雷', laptop, false);
  const reader = await person(browser, '王芳', phone, true);
  await server.command(cafe.id, cafe.facilitator_token, { type: 'next_round' });
  for (const page of [painter, reader]) await page.getByRole('button', { name: t('cafe.i_am_here') }).click();

  await tool(painter, 'board.draw').click();
  await draw(painter, 100, 200);
  await tool(painter, 'board.pen_red').click();
  await tool(painter, 'board.pen_wide').click();
  await draw(painter, 100, 320);
  await expect(lines(painter)).toHaveCount(2);
  await saved(painter, language);
  // On the phone's list by itself, on its cloth in its place.
  await expect(reader.getByRole('img', { name: t('board.drawing', { n: 2 }) })).toBeVisible();
  await reader.getByRole('button', { name: t('cafe.as_canvas') }).click();
  await expect(lines(reader)).toHaveCount(2);
  await expect(reader.locator('.canvas-world .ink .pen-red[stroke-width="9"]')).toHaveCount(1);

  await tool(painter, 'board.undo').click();
  await expect(lines(reader)).toHaveCount(1);
  await tool(painter, 'board.redo').click();
  await expect(lines(reader)).toHaveCount(2);
  await tool(painter, 'board.erase').click();
  await draw(painter, 100, 320);
  await expect(lines(painter)).toHaveCount(1);
  await expect(lines(reader)).toHaveCount(1);

  // Without the pen the cloth moves again, and nothing is drawn.
  await painter.keyboard.press('Escape');
  await tool(painter, 'board.draw').click();
  await tool(painter, 'board.drawn').click();
  await draw(painter, 100, 260);
  await expect(lines(painter)).toHaveCount(1);

  // Over a note too, which stays where it is.
  await painter.locator('.canvas-new').first().click();
  await painter.keyboard.type('便签');
  await painter.keyboard.press('Escape');
  const note = painter.locator('.canvas-note');
  await expect(note).toContainText('便签');
  const place = (await note.boundingBox())!;
  const stage = (await painter.locator('.canvas-stage').boundingBox())!;
  await tool(painter, 'board.draw').click();
  await draw(painter, place.x - stage.x - 20, place.y - stage.y + 40);
  await expect(lines(painter)).toHaveCount(2);
  expect(await note.boundingBox()).toEqual(place);
  await tool(painter, 'board.undo').click();
  await expect(lines(reader)).toHaveCount(1);
  await tool(painter, 'board.drawn').click();

  await reader.getByRole('toolbar').getByRole('button', { name: t('board.draw'), exact: true }).click();
  await accessible(painter, 'the cloth');
  await accessible(reader, 'the pens');
  await draw(reader, 40, 160);
  await expect(lines(painter)).toHaveCount(2);
  await saved(reader, language);
  await reader.reload();
  await expect(lines(reader)).toHaveCount(2);

  await server.command(cafe.id, cafe.facilitator_token, { type: 'lock_boards', locked: true });
  await expect(tool(painter, 'board.draw')).toHaveCount(0);
  const table = (await server.request('GET', `/api/workshops/${cafe.id}/export/json`, { token: cafe.facilitator_token })).tables[0];
  expect(table.drawing.length).toBe(2);
  expect(table.drawing.every((line: { points: unknown[] }) => line.points.length > 5)).toBe(true);
});
