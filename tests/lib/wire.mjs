// A wire between clients and a server that can be cut as real ones are: nobody is told, and what was on its way is gone.
import net from 'node:net';

export class Wire {
  // The server's address as its clients are to use it.
  base;
  #pairs = new Set();
  #isCut = false;

  static async to(server) {
    const wire = new Wire();
    wire.listener = net.createServer(near => wire.#connect(near, server.port));
    await new Promise(resolve => wire.listener.listen(0, '127.0.0.1', resolve));
    wire.base = `http://127.0.0.1:${wire.listener.address().port}`;
    return wire;
  }

  #connect(near, port) {
    // Who calls while it is cut is not refused: there is no answer.
    const far = this.#isCut ? undefined : net.connect(port, '127.0.0.1');
    const pair = { near, far, isDead: this.#isCut };
    this.#pairs.add(pair);
    const pass = (from, to) => {
      from.setNoDelay(true);
      // Also on a dead one all is read, or the sender would notice.
      from.on('data', bytes => pair.isDead || to.write(bytes));
      from.on('close', () => pair.isDead || to.end());
      from.on('error', () => {});
    };
    pass(near, far);
    if (far) pass(far, near);
  }

  // From now on nothing arrives, neither here nor there. Connections stay open on both sides.
  cut() {
    this.#isCut = true;
    for (const pair of this.#pairs) pair.isDead = true;
  }

  // New connections pass again. Those of before do not come to life: their clients are told so, as by a router that has forgotten them. The
  // server is not, and keeps them.
  restore() {
    this.#isCut = false;
    for (const { near, isDead } of this.#pairs) if (isDead) near.resetAndDestroy();
  }

  // The server learns that the connections that were cut have ended: by a reset, not by a word from their clients.
  forget() {
    for (const { far, isDead } of this.#pairs) if (isDead) far?.resetAndDestroy();
  }

  async close() {
    const closed = new Promise(resolve => this.listener.close(resolve));
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far?.destroy();
    }
    await closed;
  }
}
