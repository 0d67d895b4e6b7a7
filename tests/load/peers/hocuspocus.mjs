// A Hocuspocus server with its SQLite extension, as its documentation sets one up: `node hocuspocus.mjs <port> <database>`.
import { SQLite, schema } from '@hocuspocus/extension-sqlite';
import { Server } from '@hocuspocus/server';
import sqlite3 from 'sqlite3';

const [port, database] = process.argv.slice(2);
// The extension does not wait for its table, and refuses who comes before it is there.
await new Promise((done, failed) => {
  const file = new sqlite3.Database(database);
  file.run(schema, error => (error ? failed(error) : file.close(done)));
});
const server = new Server({ address: '127.0.0.1', port: Number(port), quiet: true, extensions: [new SQLite({ database })] });
await server.listen();
