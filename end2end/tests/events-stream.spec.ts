// The streams of typed events, read by what integrations read them with: an EventSource, curl, and a client of PyPI.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import type { MusterServer } from '../muster-server.ts';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), '..', 'clients', 'events.py');

interface Read {
  event: string;
  id: string;
  data: any;
}

/** A worker of this name, without a machine behind it. */
async function add(page: Page, server: MusterServer, name: string): Promise<void> {
  const [cluster] = await (await page.request.get(`${server.url}/api/clusters`)).json();
  const data = { name, cluster_id: cluster.id, category: 'ephemeral', cpus: 1, memory_mb: 64 };
  const answer = await page.request.post(`${server.url}/api/workers`, { data });
  expect(answer.status()).toBe(201);
}

const cookie = async (page: Page) =>
  (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');

test('an EventSource is told of a shutdown, comes back, and has everything once', async ({ admin, server, restartServer }) => {
  await admin.evaluate(() => {
    const seen: any[] = ((window as any).seen = []);
    const source = new EventSource('/api/events?resource_type=worker');
    for (const name of ['connected', 'heartbeat', 'worker.created', 'system.sse.shutdown', 'system.sse.gap']) {
      source.addEventListener(name, (event: any) => seen.push({ event: name, id: event.lastEventId, data: JSON.parse(event.data) }));
    }
    (window as any).source = source;
  });
  const seen = (event: string) => admin.evaluate((event) => (window as any).seen.filter((one: any) => one.event === event), event);
  await expect.poll(() => seen('connected')).toHaveLength(1);
  for (const name of ['a1', 'a2', 'a3']) await add(admin, server, name);
  await expect.poll(() => seen('worker.created')).toHaveLength(3);
  await restartServer();
  // It comes back after some seconds; what happens until then is replayed.
  for (const name of ['a4', 'a5']) await add(admin, server, name);
  await expect.poll(() => seen('connected'), { timeout: 30_000 }).toHaveLength(2);
  await add(admin, server, 'a6');
  await expect.poll(() => seen('worker.created')).toHaveLength(6);
  const created = await seen('worker.created');
  expect(created.map((one: Read) => one.data.data.name)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
  expect(new Set(created.map((one: Read) => one.id)).size).toBe(6);
  expect(await seen('system.sse.shutdown')).toHaveLength(1);
  expect(await seen('system.sse.gap')).toHaveLength(0);
  await admin.evaluate(() => (window as any).source.close());
});

test('an EventSource without a cookie is let in by a ticket, once', async ({ admin, server, browser }) => {
  const { ticket } = await (await admin.request.post(`${server.url}/api/stream-tickets`)).json();
  const nobody = await browser.newContext({ baseURL: server.url });
  const page = await nobody.newPage();
  await page.goto(`${server.url}/sign-in`);
  const opens = (ticket: string) =>
    page.evaluate(
      (ticket) =>
        new Promise((done) => {
          const source = new EventSource(`/api/events?ticket=${ticket}`);
          source.addEventListener('connected', () => (source.close(), done(true)));
          source.onerror = () => (source.close(), done(false));
        }),
      ticket,
    );
  expect(await opens(ticket)).toBe(true);
  expect(await opens(ticket)).toBe(false);
  await nobody.close();
});

/** Lines of a program, until it ends. */
async function* lines(program: ChildProcess): AsyncGenerator<string> {
  for await (const line of createInterface({ input: program.stdout! })) yield line;
}

test('curl reads the stream, and goes on from the last id', async ({ admin, server }) => {
  const read = async (last: string, until: string): Promise<Read[]> => {
    const url = `${server.url}/api/events?resource_type=worker`;
    const more = last ? ['-H', `Last-Event-ID: ${last}`] : [];
    const curl = spawn('curl', ['-sN', '--max-time', '60', '-b', await cookie(admin), ...more, url], { stdio: ['ignore', 'pipe', 'inherit'] });
    const seen: Read[] = [];
    let event = '';
    let id = '';
    for await (const line of lines(curl)) {
      if (line.startsWith('event: ')) event = line.slice(7);
      if (line.startsWith('id: ')) id = line.slice(4);
      if (!line.startsWith('data: ')) continue;
      const data = JSON.parse(line.slice(6));
      seen.push({ event, id, data });
      if (event === 'connected' && !last) for (const name of ['b1', 'b2']) await add(admin, server, name);
      if (event === 'worker.created' && data.data.name === until) break;
    }
    curl.kill();
    return seen.filter((one) => one.event === 'worker.created');
  };
  const first = await read('', 'b2');
  await add(admin, server, 'b3');
  await add(admin, server, 'b4');
  const second = await read(first[0]!.id, 'b4');
  expect(first.map((one) => one.data.data.name)).toEqual(['b1', 'b2']);
  expect(second.map((one) => one.data.data.name)).toEqual(['b2', 'b3', 'b4']);
});

/** What a program says, and how it ended. */
async function run(program: string, args: string[], env = {}): Promise<{ code: number | null; out: string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (out += bytes));
  const failed = new Promise<[number]>((done) => child.once('error', () => done([127])));
  const [code] = (await Promise.race([once(child, 'close'), failed])) as [number | null];
  return { code, out };
}

test('a Python client of PyPI reads every vocabulary, and goes on from the last id', async ({ admin, server }) => {
  test.setTimeout(180_000);
  const folder = await mkdtemp(join(tmpdir(), 'muster-python-'));
  try {
    const made = await run('python3', ['-m', 'venv', folder]);
    test.skip(made.code !== 0, `there is no python3 with venv here: ${made.out}`);
    const installed = await run(join(folder, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', 'sseclient-py==1.9.0', 'requests']);
    test.skip(installed.code !== 0, `sseclient-py cannot be installed here: ${installed.out}`);
    const python = join(folder, 'bin', 'python');
    const events = (text: string): Read[] => text.trim().split('\n').map((line) => JSON.parse(line));
    const MUSTER_COOKIE = await cookie(admin);
    const stream = `${server.url}/api/events?resource_type=worker`;

    const first = spawn(python, [SCRIPT, stream, 'worker.created', '2'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, MUSTER_COOKIE } });
    const seen: Read[] = [];
    for await (const line of lines(first)) {
      seen.push(JSON.parse(line));
      if (seen.at(-1)!.event === 'connected') for (const name of ['c1', 'c2']) await add(admin, server, name);
    }
    const created = seen.filter((one) => one.event === 'worker.created');
    expect(created.map((one) => one.data.data.name)).toEqual(['c1', 'c2']);
    await add(admin, server, 'c3');
    const rest = await run(python, [SCRIPT, stream, 'worker.created', '2', created[0]!.id], { MUSTER_COOKIE });
    const replayed = events(rest.out).filter((one) => one.event === 'worker.created');
    expect(replayed.map((one) => one.data.data.name)).toEqual(['c2', 'c3']);

    // The other vocabularies, by tickets, from a moment before.
    const since = replayed[0]!.data.timestamp;
    const with_ticket = async (path: string, until: string) => {
      const { ticket } = await (await admin.request.post(`${server.url}/api/stream-tickets`)).json();
      const read = await run(python, [SCRIPT, `${server.url}${path}ticket=${ticket}`, until, '1']);
      expect(read.code, read.out).toBe(0);
      return events(read.out).at(-1)!;
    };
    const seed001 = await with_ticket(`/api/events/stream?since=${since}&`, 'worker.created');
    expect(seed001.data.worker_id).toBe(replayed[0]!.data.worker_id);
    const seed000 = await with_ticket(`/api/events?unnamed&since=${since}&`, 'message');
    expect(seed000.data).toEqual({ type: 'worker_state_changed', worker_id: replayed[0]!.data.worker_id, status: 'pending' });
    const project = await (await admin.request.get(`${server.url}/api/projects`)).json();
    const start = new Date(project[0].created_at - 1).toISOString();
    const seed004 = await with_ticket(`/api/v1/events/stream?since=${start}&`, 'project_status_update');
    expect(seed004.data).toMatchObject({ event_type: 'project_status_update', type: 'project.created', project_id: project[0].id });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
