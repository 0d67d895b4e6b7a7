// An editor that nobody here wrote, bound to a board by clients that nobody here wrote, as docs/integrating.md shows it: CodeMirror 6 with
// y-codemirror.next, in the browser, on a page of another origin.
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, expect, type Page, test } from '@playwright/test';
import { build } from 'esbuild';
import { Server, until } from './cafe.ts';
// @ts-expect-error plain JavaScript, shared with the tests of other clients
import { asModule } from '../lib/integrating.mjs';

const tests = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const inputs = ['server', 'workshop', 'table', 'token', 'parent'];
const outputs = ['editor', 'provider', 'document'];

let server: InstanceType<typeof Server>;
let pages: HttpServer;
const open: BrowserContext[] = [];

// One page with both kinds of client, made of the lines of docs/integrating.md.
async function bundle(): Promise<string> {
  const part = (client: string) => asModule([client, 'codemirror'], inputs, outputs);
  const entry = "import { example as hocuspocus } from 'hocuspocus-example'; import { example as yWebsocket } from 'y-websocket-example';"
    + 'globalThis.examples = { hocuspocus, yWebsocket };';
  const made = await build({
    stdin: { contents: entry, resolveDir: tests },
    bundle: true,
    format: 'iife',
    write: false,
    plugins: [
      {
        name: 'docs/integrating.md',
        setup(build) {
          build.onResolve({ filter: /-example$/ }, ({ path }) => ({ path, namespace: 'page' }));
          build.onLoad({ filter: /.*/, namespace: 'page' }, ({ path }) => ({
            contents: part(path.replace('-example', '')),
            resolveDir: tests,
          }));
        },
      },
    ],
  });
  return made.outputFiles[0].text;
}

test.beforeAll(async () => {
  const script = await bundle();
  pages = createServer((request, answer) => {
    const isScript = request.url === '/editor.js';
    answer.setHeader('content-type', isScript ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
    answer.end(isScript ? script : '<!doctype html><title>Clerk</title><main></main><script src="/editor.js"></script>');
  });
  await new Promise<void>(resolve => pages.listen(0, '127.0.0.1', resolve));
});

test.afterAll(() => new Promise<void>(resolve => pages.close(() => resolve())));
test.afterEach(async () => {
  for (const context of open.splice(0)) await context.close();
  await server.stop();
});

const origin = () => `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;

type Person = { token: string; name: string };

async function editor(browser: Browser, kind: string, workshop: string, person: Person, table: number): Promise<Page> {
  const context = await browser.newContext();
  open.push(context);
  const page = await context.newPage();
  await page.goto(origin());
  await page.evaluate(
    async ({ kind, ...inputs }) => {
      const parent = globalThis.document.querySelector('main');
      // @ts-expect-error set by the bundle
      globalThis.made = await globalThis.examples[kind]({ ...inputs, parent });
    },
    { kind, server: server.base, workshop, table, token: person.token },
  );
  return page;
}

async function cafe(allowed: string) {
  server = await Server.start();
  // Known only now: which page may connect. The port stays.
  await server.end('SIGTERM');
  server.settings = { TABLEHOP_ALLOW_ORIGIN: allowed };
  await server.restart();
  const created = await server.create({
    title: 'Editor',
    tables: [{ topic: 'One' }, { topic: 'Two' }],
    rounds: [{ minutes: 60 }],
    settings: { seats_per_table: 5, dots: 3, moving_seconds: 0, show_authors: true },
  });
  await server.command(created.id, created.facilitator_token, { type: 'go_to', phase: 'lobby' });
  const people: Person[] = [];
  for (const name of ['李雷', '王芳', '陈', '赵']) people.push({ name, ...(await server.join(created.join_code, name)) });
  await server.command(created.id, created.facilitator_token, { type: 'next_round' });
  const seats = await Promise.all(people.map(async each => (await server.view(created.id, each.token)).part.seat.table.id));
  return { created, table: seats[0] as number, mates: people.filter((_, n) => seats[n] === seats[0]) };
}

test('Y-7: CodeMirror is written in from both sides, through two kinds of client', async ({ browser }) => {
  const { created, table, mates } = await cafe(origin());
  const one = await editor(browser, 'hocuspocus', created.id, mates[0], table);
  const other = await editor(browser, 'yWebsocket', created.id, mates[1], table);
  const field = (page: Page) => page.locator('.cm-content');
  // Both have greeted, as the page's lines do.
  for (const page of [one, other]) await expect(field(page)).toHaveText(/^(Hello from a clerk\. ){2}$/);
  await field(one).click();
  await one.keyboard.press('Control+End');
  await one.keyboard.type('当天回访，');
  await expect(field(other)).toContainText('当天回访，');
  await field(other).click();
  await other.keyboard.press('Control+Home');
  // Both at once, at either end: nobody's caret jumps.
  await Promise.all([one.keyboard.type('附完工照片', { delay: 30 }), other.keyboard.type('业主说 ', { delay: 30 })]);
  // What the editor holds; on its page the others' carets and names stand among the letters.
  const held = (page: Page) => page.evaluate(() => (globalThis as any).made.editor.state.doc.toString());
  for (const page of [one, other]) {
    await expect.poll(() => held(page)).toMatch(/^业主说 (Hello from a clerk\. ){2}当天回访，附完工照片$/);
  }
  // Whose caret it is, is for the server to say.
  await expect(one.locator('.cm-ySelectionInfo')).toHaveText(mates[1].name);
  // Without a network, and back.
  await one.context().setOffline(true);
  await until('the connection is gone', () => one.evaluate(() => (globalThis as any).made.provider.configuration.websocketProvider.disconnect() ?? true));
  await one.keyboard.type('（离线写的）');
  expect(await held(other)).not.toContain('离线');
  await one.context().setOffline(false);
  await one.evaluate(() => (globalThis as any).made.provider.configuration.websocketProvider.connect());
  await expect.poll(() => held(other)).toContain('（离线写的）');
  await until('all is saved', () => one.evaluate(() => (globalThis as any).made.provider.unsyncedChanges === 0));
  const exported = await server.request('GET', `/api/workshops/${created.id}/export/json`, { token: created.facilitator_token });
  expect(JSON.stringify(exported)).toContain('当天回访，附完工照片（离线写的）');
});

test('Y-7: a page whose origin was not allowed gets no connection', async ({ browser }) => {
  const { created, table, mates } = await cafe('http://elsewhere.example');
  const page = await editor(browser, 'hocuspocus', created.id, mates[0], table);
  await until('the refusal is counted', async () => {
    const figures = await (await fetch(`${server.base}/metrics`)).text();
    return /tablehop_refusals_total\{reason="foreign_origin"\} [1-9]/.test(figures);
  });
  expect(await page.evaluate(() => (globalThis as any).made.provider.isSynced)).toBe(false);
});
