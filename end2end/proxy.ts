// A network that fails on demand: a TCP proxy between the browser and the server.

import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { once } from 'node:events';

/** What happens to bytes, on open connections and on new ones. */
export type Weather =
  /** They pass. */
  | 'pass'
  /** They are taken and lost, both ways; nobody is told. As when a firewall forgets a connection, or a machine loses its power. */
  | 'half-open'
  /** They are not taken: both sides see a connection that no longer moves. They follow when the weather changes. */
  | 'stall'
  /** They pass to the browser one at a time. */
  | 'byte-by-byte'
  /** New connections are refused: closed as soon as they are made. */
  | 'refuse';

interface Pair {
  browser: Socket;
  server: Socket;
  /** Something was lost on it: it can never be right again. */
  holed: boolean;
  sending: Promise<void>;
}

export class Proxy {
  /** Bytes that were taken and lost. */
  swallowed = 0;
  /** Connections made through it so far. */
  connections = 0;

  private readonly listener: Server;
  private readonly pairs = new Set<Pair>();
  private weather: Weather = 'pass';

  private constructor(private readonly target: { host: string; port: number }) {
    this.listener = createServer({ allowHalfOpen: false }, (browser) => this.join(browser));
  }

  /** Listens on a free port of 127.0.0.1 and passes on to `url`. */
  static async to(url: string): Promise<Proxy> {
    const { hostname, port } = new URL(url);
    const proxy = new Proxy({ host: hostname, port: Number(port) });
    await once(proxy.listener.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get open(): number {
    return this.pairs.size;
  }

  set(weather: Weather): void {
    this.weather = weather;
    for (const pair of this.pairs) this.apply(pair);
  }

  /** Ends every open connection in an orderly way (FIN). */
  cut(): void {
    for (const { browser, server } of this.pairs) {
      browser.end();
      server.end();
    }
  }

  /** Breaks every open connection (RST). */
  reset(): void {
    for (const { browser, server } of this.pairs) {
      browser.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    this.reset();
    await closed;
  }

  private join(browser: Socket): void {
    this.connections += 1;
    if (this.weather === 'refuse') {
      browser.on('error', () => {});
      browser.resetAndDestroy();
      return;
    }
    const server = connect(this.target);
    const pair: Pair = { browser, server, holed: false, sending: Promise.resolve() };
    this.pairs.add(pair);
    for (const [from, to] of [[browser, server], [server, browser]] as const) {
      from.setNoDelay(true);
      from.on('data', (bytes: Buffer) => this.pass(pair, from, to, bytes));
      from.on('end', () => {
        if (this.weather !== 'half-open') void pair.sending.then(() => to.end());
      });
      from.on('error', () => {});
      from.on('close', () => {
        this.pairs.delete(pair);
        // A side that went away in bad weather is not missed by the other.
        if (this.weather === 'half-open') from === browser && server.destroy();
        // What it sent before is still delivered.
        else void pair.sending.then(() => to.destroySoon());
      });
    }
    this.apply(pair);
  }

  private apply(pair: Pair): void {
    for (const socket of [pair.browser, pair.server]) {
      if (this.weather === 'stall') socket.pause();
      else socket.resume();
    }
  }

  private pass(pair: Pair, from: Socket, to: Socket, bytes: Buffer): void {
    if (this.weather === 'half-open') {
      this.swallowed += bytes.length;
      pair.holed = true;
      return;
    }
    if (pair.holed) {
      // Who remembers nothing of a connection answers with a reset.
      pair.browser.resetAndDestroy();
      pair.server.resetAndDestroy();
      return;
    }
    if (this.weather === 'byte-by-byte' && to === pair.browser) {
      pair.sending = pair.sending.then(() => oneByOne(to, bytes));
      return;
    }
    pair.sending = pair.sending.then(async () => {
      if (!to.write(bytes)) {
        from.pause();
        await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
        this.apply(pair);
      }
    });
  }
}

/** Each byte in a segment of its own. */
async function oneByOne(to: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (to.destroyed) return;
    await new Promise((sent) => to.write(Buffer.of(byte), sent));
  }
}
