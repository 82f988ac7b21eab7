// Real agents: `muster agent` processes, each with a folder of its own that holds its configuration, its token, its state and a checkout of a
// repository that all of them share.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { endProcessesOf } from './worker-processes.ts';

const run = promisify(execFile);

export async function git(folder: string, ...args: string[]): Promise<string> {
  const who = { GIT_AUTHOR_NAME: 'A test', GIT_AUTHOR_EMAIL: 'test@example.org' };
  const committer = { GIT_COMMITTER_NAME: 'A test', GIT_COMMITTER_EMAIL: 'test@example.org' };
  const env = { ...process.env, ...who, ...committer, GIT_CONFIG_GLOBAL: '/dev/null' };
  return (await run('git', args, { cwd: folder, env })).stdout.trim();
}

/** A folder with a bare repository, a checkout from which somebody else pushes, and the hosts. */
export class Fleet {
  readonly hosts: AgentHost[] = [];

  private constructor(readonly folder: string) {}

  static async make(): Promise<Fleet> {
    const fleet = new Fleet(await mkdtemp(join(await realpath(tmpdir()), 'muster-agents-')));
    await git(fleet.folder, 'init', '--quiet', '--bare', '--initial-branch=main', 'remote.git');
    await git(fleet.folder, 'clone', '--quiet', 'remote.git', 'elsewhere');
    await fleet.push('A beginning', 'lock 1');
    return fleet;
  }

  get remote(): string {
    return join(this.folder, 'remote.git');
  }

  /** Somebody commits and pushes, with another lock file if told so; the new head. */
  async push(message: string, lock?: string): Promise<string> {
    const elsewhere = join(this.folder, 'elsewhere');
    if (lock !== undefined) await writeFile(join(elsewhere, 'flake.lock'), `${lock}\n`);
    await appendFile(join(elsewhere, 'history'), `${message}\n`);
    await git(elsewhere, 'add', '--all');
    await git(elsewhere, 'commit', '--quiet', '--message', message);
    await git(elsewhere, 'push', '--quiet', 'origin', 'HEAD:main');
    return git(elsewhere, 'rev-parse', 'HEAD');
  }

  /** A host with a checkout of now. Its agent is not started yet. */
  async host(name: string): Promise<AgentHost> {
    const folder = join(this.folder, name);
    await mkdir(folder);
    await git(folder, 'clone', '--quiet', this.remote, 'checkout');
    const host = new AgentHost(name, folder);
    await host.configure();
    this.hosts.push(host);
    return host;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.end()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What a host may be told to run: `pull`, and scripts that a test writes. */
const SCRIPTS = ['switch', 'test', 'flood'];
/** What `switch` does unless a test says otherwise: what is checked out is what is deployed. */
const SWITCH = 'git -C checkout rev-parse HEAD > deployed\necho switched';

export class AgentHost {
  private agent?: ChildProcess;

  constructor(
    readonly name: string,
    readonly folder: string,
  ) {}

  /** Its agent's settings, in force from the agent's next start on, and its scripts as they are at first. */
  async configure(): Promise<void> {
    const path = (name: string) => JSON.stringify(join(this.folder, name));
    const script = (kind: string) => [
      `[commands.${kind}]`,
      `argv = ["sh", "-e", ${path(`${kind}.sh`)}]`,
      `cwd = ${JSON.stringify(this.folder)}`,
      ...(kind === 'switch' ? ['checks = ["system"]'] : []),
    ];
    const config = [
      `hostname = "${this.name}"`,
      'host_type = "linux"',
      'theme_color = "#7aa2f7"',
      'check_interval = "1 h"',
      '[repository]',
      `path = ${path('checkout')}`,
      '[system]',
      `checked_out = ["git", "-C", ${path('checkout')}, "rev-parse", "HEAD"]`,
      `deployed = ["cat", ${path('deployed')}]`,
      `generation = ["cat", ${path('deployed')}]`,
      '[commands.pull]',
      'argv = ["git", "pull", "--ff-only"]',
      'checks = ["git", "lock"]',
      ...SCRIPTS.flatMap(script),
    ];
    await writeFile(join(this.folder, 'agent.toml'), `${config.join('\n')}\n`);
    await writeFile(join(this.folder, 'deployed'), `${await this.head()}\n`);
    await this.script('switch', SWITCH);
    await this.script('test', 'echo all is well');
    await this.script('flood', 'seq -f "line %.0f" 1 100000');
  }

  /** What a command does from now on; it runs in the host's folder. Each notes in `ran` that it did. */
  async script(kind: string, text: string = SWITCH): Promise<void> {
    await writeFile(join(this.folder, `${kind}.sh`), `echo ${kind} >> ran\n${text}\n`);
  }

  /** What was run here so far, in order; `pull` leaves no note. */
  async ran(): Promise<string[]> {
    return (await this.read('ran')).split('\n').filter(Boolean);
  }

  /** A file of the host's folder; empty where there is none. */
  async read(file: string): Promise<string> {
    return readFile(join(this.folder, file), 'utf8').catch(() => '');
  }

  async write(file: string, text = ''): Promise<void> {
    await writeFile(join(this.folder, file), text);
  }

  async head(): Promise<string> {
    return git(join(this.folder, 'checkout'), 'rev-parse', 'HEAD');
  }

  async start(server: string, token: string): Promise<void> {
    const program = process.env.MUSTER_BIN;
    if (!program) throw new Error('MUSTER_BIN is not set: run the browser tests with `cargo xtask e2e`');
    await writeFile(join(this.folder, 'token'), `${token}\n`, { mode: 0o600 });
    const file = (name: string) => join(this.folder, name);
    const args = ['--token-file', file('token'), '--config', file('agent.toml'), '--state-dir', file('state')];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MUSTER_')));
    this.agent = spawn(program, ['agent', '--server', server, ...args], {
      cwd: this.folder,
      // By the data folder all that it starts is found again.
      env: { ...env, NO_COLOR: '1', GIT_CONFIG_GLOBAL: '/dev/null', MUSTER_DATA_DIR: this.folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.agent.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** What its agent has said so far. */
  output = '';

  signal(name: NodeJS.Signals): void {
    if (!this.agent?.kill(name)) throw new Error(`the agent of ${this.name} is not running:\n${this.output}`);
  }

  /** Ends the agent and what it started. */
  async end(): Promise<void> {
    const agent = this.agent;
    this.agent = undefined;
    const ended = agent && agent.exitCode === null && agent.signalCode === null ? once(agent, 'exit') : undefined;
    await endProcessesOf(this.folder);
    await ended;
  }
}
