// A stand-in for GitHub's REST API, as far as the console uses it. Paths, status codes and field names are those of GitHub's published
// description (version 2022-11-28). Start the console with `...github.flags()`.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';

const TOKEN = 'github_pat_of_the_tests';

export interface CheckRun {
  status: 'queued' | 'in_progress' | 'completed' | 'waiting' | 'requested' | 'pending';
  conclusion: null | 'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required';
}

export interface PullRequest {
  number: number;
  title: string;
  sha: string;
  /** `null`: GitHub is still finding out. */
  mergeable: boolean | null;
  checks: CheckRun[];
  state: 'open' | 'closed';
  mergedAs?: string;
}

export class GitHub {
  /** Set it to have every request refused so: `{ status: 403, headers: { 'retry-after': '5' } }`. */
  refuses?: { status: number; headers?: Record<string, string>; message?: string };
  /** Merges that were asked for. */
  merges: { number: number; sha: string; method: string }[] = [];
  /** Called when a merge is done: push to the hosts' repository here. */
  onMerge?: (number: number) => Promise<void>;

  private readonly pulls = new Map<number, PullRequest>();
  private readonly server: Server;

  private constructor(readonly repo: string) {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        this.send(response, 500, { message: String(error) });
      });
    });
  }

  static async start(repo = 'acme/hosts'): Promise<GitHub> {
    const github = new GitHub(repo);
    github.server.listen(0, '127.0.0.1');
    await once(github.server, 'listening');
    return github;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Arguments of `muster serve`. The token's file is written into `folder`. */
  async flags(folder: string): Promise<string[]> {
    const tokenFile = join(folder, 'github-token');
    await writeFile(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
    return ['--github-url', this.url, '--github-repo', this.repo, '--github-token-file', tokenFile, '--github-poll', '1'];
  }

  /** Opens a pull request that can be merged, unless told otherwise. */
  open(number: number, title: string, more: Partial<PullRequest> = {}): PullRequest {
    const sha = createHash('sha1').update(`${number} ${title}`).digest('hex');
    const checks: CheckRun[] = [{ status: 'completed', conclusion: 'success' }];
    const pull: PullRequest = { number, title, sha, mergeable: true, checks, state: 'open', ...more };
    this.pulls.set(number, pull);
    return pull;
  }

  /** Somebody pushes to a pull request: it has another head. */
  push(number: number): string {
    const pull = this.pulls.get(number);
    if (!pull) throw new Error(`there is no pull request ${number}`);
    pull.sha = createHash('sha1').update(pull.sha).digest('hex');
    return pull.sha;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.refuses) {
      const { status, headers = {}, message = 'Refused by the test' } = this.refuses;
      return this.send(response, status, { message }, headers);
    }
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      return this.send(response, 401, { message: 'Bad credentials' });
    }
    const url = new URL(request.url ?? '/', this.url);
    const prefix = `/repos/${this.repo}/`;
    if (!url.pathname.startsWith(prefix)) return this.notFound(response);
    const path = url.pathname.slice(prefix.length).split('/');
    if (request.method === 'GET') return this.get(request, response, path);
    if (request.method === 'PUT' && path.length === 3 && path[0] === 'pulls' && path[2] === 'merge') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      return this.merge(response, Number(path[1]), JSON.parse(Buffer.concat(chunks).toString()));
    }
    return this.notFound(response);
  }

  private get(request: IncomingMessage, response: ServerResponse, path: string[]): void {
    const [noun, name, what] = path;
    let body: unknown;
    if (noun === 'pulls' && name === undefined) {
      const open = [...this.pulls.values()].filter((pull) => pull.state === 'open');
      body = open.sort((a, b) => b.number - a.number).map((pull) => this.listed(pull));
    } else if (noun === 'pulls' && what === undefined) {
      const pull = this.pulls.get(Number(name));
      if (!pull) return this.notFound(response);
      const merged = pull.mergedAs !== undefined;
      body = { ...this.listed(pull), mergeable: pull.mergeable, merged, merge_commit_sha: pull.mergedAs ?? null };
    } else if (noun === 'commits' && what === 'status') {
      // What GitHub says of a commit without statuses.
      body = { state: 'pending', statuses: [], sha: name, total_count: 0 };
    } else if (noun === 'commits' && what === 'check-runs') {
      const runs = [...this.pulls.values()].find((pull) => pull.sha === name)?.checks ?? [];
      body = { total_count: runs.length, check_runs: runs.map((run) => ({ name: 'build', head_sha: name, ...run })) };
    } else {
      return this.notFound(response);
    }
    const etag = `W/"${createHash('sha1').update(JSON.stringify(body)).digest('hex')}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    this.send(response, 200, body, { etag });
  }

  private async merge(
    response: ServerResponse,
    number: number,
    asked: { sha?: string; merge_method?: string },
  ): Promise<void> {
    const pull = this.pulls.get(number);
    if (!pull) return this.notFound(response);
    if (pull.state !== 'open' || pull.mergeable !== true) {
      return this.send(response, 405, { message: 'Pull Request is not mergeable' });
    }
    if (asked.sha !== undefined && asked.sha !== pull.sha) {
      return this.send(response, 409, { message: 'Head branch was modified. Review and try the merge again.' });
    }
    this.merges.push({ number, sha: pull.sha, method: asked.merge_method ?? 'merge' });
    pull.state = 'closed';
    pull.mergedAs = createHash('sha1').update(`merge of ${pull.sha}`).digest('hex');
    await this.onMerge?.(number);
    this.send(response, 200, { sha: pull.mergedAs, merged: true, message: 'Pull Request successfully merged' });
  }

  private listed(pull: PullRequest): object {
    return {
      number: pull.number,
      state: pull.state,
      title: pull.title,
      html_url: `https://github.com/${this.repo}/pull/${pull.number}`,
      draft: false,
      head: { ref: `update-${pull.number}`, sha: pull.sha },
      base: { ref: 'main' },
    };
  }

  private notFound(response: ServerResponse): void {
    this.send(response, 404, { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' });
  }

  private send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
    const limits = { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '4999' };
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...limits, ...headers });
    response.end(JSON.stringify(body));
  }
}
