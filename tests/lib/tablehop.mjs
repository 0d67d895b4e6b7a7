// A server process of its own for tests written in JavaScript, and the few HTTP calls they need.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const binary = name => path.join(root, 'target/debug', name);

export class Server {
  static async start() {
    const server = new Server();
    server.data = await mkdtemp(path.join(tmpdir(), 'tablehop-'));
    await server.spawn(0);
    return server;
  }

  // Further settings, such as `TABLEHOP_PUBLIC_URL`, count from the next start on.
  settings = {};

  async spawn(port) {
    const program = process.env.TABLEHOP_BIN ?? binary('tablehop');
    this.child = spawn(program, ['serve', '--listen', `127.0.0.1:${port}`, '--data', this.data], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TABLEHOP_LOG: process.env.TABLEHOP_LOG ?? 'warn', ...this.settings },
    });
    const lines = readline.createInterface({ input: this.child.stdout });
    this.base = await new Promise((resolve, reject) => {
      lines.on('line', line => {
        const found = /^Listening on (\S+)/.exec(line.trim());
        if (found) resolve(`http://127.0.0.1:${new URL(found[1]).port}`);
      });
      this.child.once('exit', code => reject(new Error(`the server ended with ${code} before it listened`)));
    });
    this.port = Number(new URL(this.base).port);
  }

  async end(signal) {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.child.kill(signal);
    await ended;
  }

  // SIGKILL: no chance to write anything.
  async kill() {
    await this.end('SIGKILL');
  }

  // Again on the same data and port.
  async restart() {
    await this.spawn(this.port);
  }

  async stop() {
    await this.end('SIGTERM');
    await rm(this.data, { recursive: true, force: true });
  }

  async request(method, pathname, { token, body } = {}) {
    const response = await fetch(this.base + pathname, {
      method,
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${pathname}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  create(body) {
    return this.request('POST', '/api/workshops', { body });
  }

  join(code, name) {
    return this.request('POST', '/api/join', { body: { code, name } });
  }

  command(id, token, command) {
    return this.request('POST', `/api/workshops/${id}/commands`, { token, body: command });
  }

  view(id, token) {
    return this.request('GET', `/api/workshops/${id}`, { token });
  }
}

// Simulated guests in one process: `wrote` holds every note that they were told is on disk.
export class Guests {
  constructor(server, code, { guests = 21, language = 'zh-CN', notes = 2, scribbles = 0, pace = 300, seed = 1 } = {}) {
    const program = process.env.TABLEHOP_GUESTS ?? binary('tablehop-guests');
    this.wrote = [];
    this.child = spawn(
      program,
      [
        ...['--server', server.base, 'attend', '--code', code, '--guests', String(guests), '--language', language],
        ...['--notes', String(notes), '--scribbles', String(scribbles), '--pace', String(pace), '--seed', String(seed)],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    readline.createInterface({ input: this.child.stdout }).on('line', line => this.wrote.push(JSON.parse(line)));
    this.ended = new Promise(resolve => this.child.once('exit', resolve));
  }

  stop() {
    this.child.kill('SIGTERM');
  }
}

// Waits until `f` gives something true; throws with `what` after `seconds`.
export async function until(what, f, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await f();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 25));
  }
}
