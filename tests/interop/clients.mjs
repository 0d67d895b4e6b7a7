// Yjs clients that nobody here wrote, behind one face: each joins a board, writes, sees who is there, goes offline and comes back.
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import {
  HocuspocusProvider as HocuspocusProvider3,
  HocuspocusProviderWebsocket as HocuspocusProviderWebsocket3,
} from '@hocuspocus/provider-3';
import WebSocket from 'ws';
import { WebsocketProvider as WebsocketProvider3 } from 'y-websocket';
import { WebsocketProvider as WebsocketProvider1 } from 'y-websocket-1';
import { WebsocketProvider as WebsocketProvider2 } from 'y-websocket-2';
import * as Y from 'yjs';
import { Server, until } from '../lib/tablehop.mjs';
import { Wire } from '../lib/wire.mjs';

// Clients in one process would talk to each other past the server otherwise.
const alone = { WebSocketPolyfill: WebSocket, disableBc: true };

function hocuspocus(Provider, Socket) {
  return (base, board, token) => {
    const document = new Y.Doc();
    const socket = new Socket({ url: `${base.replace('http', 'ws')}/collab`, WebSocketPolyfill: WebSocket, delay: 50, minDelay: 50 });
    const provider = new Provider({ websocketProvider: socket, name: `board/${board}`, document, token });
    const client = {
      document,
      provider,
      awareness: provider.awareness,
      refusal: undefined,
      counts: true,
      synced: () => provider.isSynced,
      // Everything is on the server's disk.
      saved: () => provider.isSynced && provider.unsyncedChanges === 0,
      unsaved: () => provider.unsyncedChanges,
      scope: () => provider.authorizedScope,
      socket: () => socket.webSocket,
      offline: () => socket.disconnect(),
      online: () => socket.connect(),
      connected: () => socket.status === 'connected',
      close() {
        provider.destroy();
        socket.destroy();
        document.destroy();
      },
    };
    provider.on('authenticationFailed', ({ reason }) => (client.refusal = reason));
    provider.attach();
    return client;
  };
}

function yWebsocket(Provider) {
  return (base, board, token) => {
    const document = new Y.Doc();
    const provider = new Provider(`${base.replace('http', 'ws')}/yjs`, board, document, { ...alone, params: { token } });
    const client = {
      document,
      provider,
      awareness: provider.awareness,
      refusal: undefined,
      // This protocol has no acknowledgements.
      counts: false,
      synced: () => provider.synced,
      saved: () => provider.synced,
      socket: () => provider.ws,
      offline: () => provider.disconnect(),
      online: () => provider.connect(),
      connected: () => provider.wsconnected,
      close() {
        provider.destroy();
        // Ends the awareness, too, which otherwise keeps its timer.
        document.destroy();
      },
    };
    provider.on('connection-close', event => {
      if (event?.code >= 4400) client.refusal = `${event.code} ${event.reason}`;
    });
    return client;
  };
}

export const clients = {
  '@hocuspocus/provider 3': hocuspocus(HocuspocusProvider3, HocuspocusProviderWebsocket3),
  '@hocuspocus/provider 4': hocuspocus(HocuspocusProvider, HocuspocusProviderWebsocket),
  'y-websocket 1.5': yWebsocket(WebsocketProvider1),
  'y-websocket 2': yWebsocket(WebsocketProvider2),
  'y-websocket 3': yWebsocket(WebsocketProvider3),
};

// A café whose first round has begun, with two people at one table.
export class Cafe {
  static async open({ people = 4, rounds = 1, tables = 2 } = {}) {
    const cafe = new Cafe();
    cafe.server = await Server.start();
    const created = await cafe.server.create({
      title: 'Interop',
      tables: Array.from({ length: tables }, (_, n) => ({ topic: `Topic ${n + 1}` })),
      rounds: Array.from({ length: rounds }, () => ({ minutes: 60 })),
      settings: { seats_per_table: 10, dots: 3, moving_seconds: 0, show_authors: true },
    });
    Object.assign(cafe, created);
    await cafe.command({ type: 'go_to', phase: 'lobby' });
    cafe.people = [];
    for (let n = 0; n < people; n += 1) cafe.people.push({ name: `客人${n}`, ...(await cafe.server.join(created.join_code, `客人${n}`)) });
    await cafe.command({ type: 'next_round' });
    for (const person of cafe.people) person.table = await cafe.seat(person);
    cafe.table = cafe.people[0].table;
    cafe.mates = cafe.people.filter(person => person.table === cafe.table);
    cafe.board = `${created.id}.t${cafe.table}`;
    cafe.elsewhere = `${created.id}.t${cafe.table === 1 ? 2 : 1}`;
    return cafe;
  }

  command(command) {
    return this.server.command(this.id, this.facilitator_token, command);
  }

  async seat(person) {
    return (await this.server.view(this.id, person.token)).part.seat.table.id;
  }

  // All boards as the server reads them: not with Yjs but with Yrs.
  export() {
    return this.server.request('GET', `/api/workshops/${this.id}/export/json`, { token: this.facilitator_token });
  }

  // One of them.
  async read(table = this.table) {
    return (await this.export()).tables.find(each => each.number === table);
  }

  // How many edits were refused to those who may only read.
  refusals() {
    return this.figure('tablehop_refusals_total{reason="read_only"}');
  }

  async figure(name) {
    const text = await (await fetch(`${this.server.base}/metrics`)).text();
    const line = text.split('\n').find(each => each.startsWith(`${name} `));
    return line ? Number(line.slice(name.length + 1)) : 0;
  }

  stop() {
    return this.server.stop();
  }
}

// Writes a note as docs/wire.md describes it, under a key that nobody else uses.
export function writeNote(document, words, count) {
  const id = `${document.clientID.toString(16)}-${count}`;
  document.transact(() => {
    const note = new Y.Map();
    document.getMap('notes').set(id, note);
    const text = new Y.Text(words);
    for (const [key, value] of Object.entries({ text, kind: 'idea', x: 40, y: 40, w: 220, color: 0, deleted: false })) note.set(key, value);
  });
  return id;
}

export const wordsOf = (document, id) => document.getMap('notes').get(id)?.get('text').toString();

// How often words stand in something; what arrived twice stands there twice.
export const times = (words, all) => JSON.stringify(all).split(words).length - 1;

// What y-websocket says about edits that were not taken: it tells nobody but the console.
export async function hearing(use) {
  const { warn } = console;
  const warned = [];
  console.warn = (...words) => warned.push(words.join(' '));
  try {
    return await use(() => warned.some(words => words.includes('not_taken')));
  } finally {
    console.warn = warn;
  }
}

// Closes what was opened, whatever happens.
export async function using(opened, use) {
  try {
    await use(...opened);
  } finally {
    for (const client of opened) if (!client.closed) client.close();
  }
}

// With a wire to the server that can be cut.
export async function wired(server, use) {
  const wire = await Wire.to(server);
  try {
    await use(wire);
  } finally {
    await wire.close();
  }
}

export { until };
