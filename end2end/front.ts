// The reverse proxies that people put in front: real programs of the system, with as little configuration as they allow.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STARTS_WITHIN = 10_000;

export type Kind = 'nginx' | 'haproxy';

/** The program, as the command that runs the tests found it. */
export function program(kind: Kind): string | undefined {
  return process.env[`MUSTER_${kind.toUpperCase()}`] || undefined;
}

export class Front {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Starts it in front of `target`. */
  static async start(kind: Kind, target: string): Promise<Front> {
    const path = program(kind);
    if (!path) throw new Error(`${kind} is not there`);
    const folder = await mkdtemp(join(await realpath(tmpdir()), `muster-${kind}-`));
    // Started by root, nginx works as another user, who has to reach the folder: an answer that the browser takes
    // slower than the server gives it is put down there, and cut short where that fails.
    await chmod(folder, 0o711);
    const port = await freePort();
    const file = join(folder, `${kind}.conf`);
    await writeFile(file, (kind === 'nginx' ? nginx : haproxy)(folder, port, new URL(target).host));
    const args = kind === 'nginx' ? ['-p', folder, '-e', join(folder, 'error.log'), '-c', file] : ['-db', '-f', file];
    const child = spawn(path, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => (output += error.message));
    const front = new Front(`http://127.0.0.1:${port}`, child, folder);
    const deadline = Date.now() + STARTS_WITHIN;
    while (!(await listens(port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        await front.stop();
        throw new Error(`${kind} does not listen:\n${output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return front;
  }

  async stop(): Promise<void> {
    if (this.process.pid && this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Everything that has to do with proxying is left at its default: buffering on, HTTP/1.0 to the server, 60 s without a byte. */
function nginx(folder: string, port: number, target: string): string {
  return `
daemon off;
pid ${folder}/pid;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://${target};
      proxy_set_header Host $http_host;
    }
  }
}
`;
}

/** A connection on which nothing moves for 10 s is ended. */
function haproxy(_folder: string, port: number, target: string): string {
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server muster ${target}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
