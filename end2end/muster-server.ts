// A real `muster serve` process with a data folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Cookie } from '@playwright/test';

import { endProcessesOf, processesOf } from './worker-processes.ts';

const STARTS_WITHIN = 20_000;
const ENDS_WITHIN = 15_000;

export class MusterServer {
  /** `http://127.0.0.1:<port>`; the same after a restart. */
  url = '';
  /** The administrator's cookies, once there is one. */
  administrator?: Cookie[];
  /** More arguments of `muster serve`, in force from its next start on. */
  more: string[] = [];

  private process?: ChildProcess;
  private output = '';
  private readonly dataDir: string;

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  static async start(): Promise<MusterServer> {
    const server = new MusterServer(await mkdtemp(join(await realpath(tmpdir()), 'muster-e2e-')));
    try {
      await server.launch('127.0.0.1:0');
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** What the server has printed so far, over all its lives. */
  log(): string {
    return this.output;
  }

  get data(): string {
    return this.dataDir;
  }

  get pid(): number {
    if (!this.process?.pid) throw new Error('the server is not running');
    return this.process.pid;
  }

  /** The process ids of the local workers, or of the one with this id: to be killed, stopped and continued by a test. */
  async workerPids(workerId?: string): Promise<number[]> {
    return processesOf(this.dataDir, workerId);
  }

  /** The one-time link that creates the administrator. */
  async setupLink(): Promise<string> {
    return this.printed(/Set it up at (\S+)/);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.launch(new URL(this.url).host);
  }

  /** SIGTERM, and waits for the process to end. */
  async stop(): Promise<void> {
    const process = this.process;
    this.process = undefined;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, 'exit');
    process.kill('SIGTERM');
    const late = setTimeout(() => process.kill('SIGKILL'), ENDS_WITHIN);
    const [code, signal] = await ended;
    clearTimeout(late);
    if (signal === 'SIGKILL') throw new Error(`the server did not end within ${ENDS_WITHIN / 1000} s of SIGTERM`);
    if (code) throw new Error(`the server ended with code ${code}:\n${this.output}`);
  }

  /** Ends the server, the workers it started and all they wrote. */
  async dispose(): Promise<void> {
    try {
      await this.stop();
    } finally {
      await endProcessesOf(this.dataDir);
      await rm(this.dataDir, { recursive: true, force: true });
    }
  }

  private async launch(listen: string): Promise<void> {
    const program = process.env.MUSTER_BIN;
    if (!program) throw new Error('MUSTER_BIN is not set: run the browser tests with `cargo xtask e2e`');
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('MUSTER_') && name !== 'DATABASE_URL'),
    );
    const from = this.output.length;
    this.process = spawn(program, ['serve', '--listen', listen, '--data', this.dataDir, ...this.more], {
      cwd: this.dataDir,
      env: { ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.process.on('error', (error) => (this.output += `cannot start ${program}: ${error.message}\n`));
    this.url = new URL(await this.printed(/Muster is at (http\S+)/, from)).origin;
  }

  /** The first group of `pattern`, as soon as the server has printed a whole line with it. */
  private async printed(pattern: RegExp, from = 0): Promise<string> {
    const deadline = Date.now() + STARTS_WITHIN;
    for (;;) {
      const lines = this.output.slice(from, this.output.lastIndexOf('\n') + 1);
      const found = pattern.exec(lines)?.[1];
      if (found) return found;
      const ended = !this.process?.pid || this.process.exitCode !== null || this.process.signalCode !== null;
      if (ended || Date.now() > deadline) {
        const what = ended ? 'ended' : `ran for ${STARTS_WITHIN / 1000} s`;
        throw new Error(`the server ${what} without printing ${pattern}:\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
