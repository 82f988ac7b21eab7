// Every page in every state: nothing scrolls sideways, however narrow; with `--screenshots` also pictures to look at.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { ask, createWorker, loadNet, readyWorker } from '../fleet.ts';
import { append, command, commandPut, host, hostPut, pipeline, pipelinePut } from '../hosts.ts';

test.describe.configure({ mode: 'serial', timeout: 180_000 });

const LONG = 'a-name-of-eighty-characters-that-nobody-would-type-but-some-program-makes-one-day';

/** 390 px is a phone, and 720 px is a usual window at 200 %. */
async function fits(page: Page, what: string, widths = [390, 720, 1440]): Promise<void> {
  const before = page.viewportSize()!;
  for (const width of widths) {
    await page.setViewportSize({ width, height: 844 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${what} is too wide at ${width} px`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize(before);
}

test.beforeEach(({ consoleGuard }) => consoleGuard.allow(/status of 4(04|10)/));

async function look(page: Page, picture: (name: string) => Promise<void>, path: string, name: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  // A table of names of eighty characters is wider than 720 px; below 640 px it is a list of cards.
  await fits(page, name, /^(nets|workers)-/.test(name) ? [390, 1440] : undefined);
  await picture(name);
}

test('before signing in', async ({ page, server, picture }) => {
  for (const [path, name] of [[await server.setupLink(), 'setup'], ['/setup/wrong', 'setup-wrong']] as const) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await fits(page, name);
    await picture(name);
  }
});

test('empty', async ({ admin: page, picture }) => {
  for (const net of await ask(page, 'get', 'nets')) await ask(page, 'delete', `nets/${net.id}`);
  // A deletion waits for ten seconds, to be undone.
  await expect.poll(async () => (await ask(page, 'get', 'nets')).length, { intervals: [2_500], timeout: 30_000 }).toBe(0);
  await look(page, picture, '/', 'overview-empty');
  await look(page, picture, '/workers', 'workers-empty');
  await look(page, picture, '/nets', 'nets-empty');
  await look(page, picture, '/workers?new', 'workers-create');
  await look(page, picture, '/nets?new', 'nets-add');
  await page.goto('/nowhere');
  await fits(page, 'no such page');
  await picture('not-found');
});

test('busy', async ({ admin: page, picture }) => {
  const [first, second] = [await readyWorker(page, 'eu-west-1', 'persistent'), await readyWorker(page, 'eu-west-2')];
  await createWorker(page, LONG.slice(0, 80));
  const { readFileSync } = await import('node:fs');
  const samples = join(import.meta.dirname, '..', '..', 'src', 'petri', 'samples');
  const [project] = await ask(page, 'get', 'projects');
  for (const [name, sample] of [['Producer', 'producer_consumer'], ['Philosophers', 'dining_philosophers'], [LONG.slice(0, 80), 'producer_consumer']]) {
    const pnml = readFileSync(join(samples, `${sample}.pnml`), 'utf8');
    await ask(page, 'post', 'nets', { name, project_id: project.id, pnml });
  }
  const [running, loaded] = [await loadNet(page, first, 'Producer'), await loadNet(page, second, 'Philosophers')];
  await ask(page, 'post', `nets/${running}/run`, { rate: 50 });
  await look(page, picture, '/', 'overview-busy');
  await look(page, picture, '/workers', 'workers-busy');
  await look(page, picture, '/nets', 'nets-busy');
  await look(page, picture, `/workers/${first}`, 'worker-busy');
  await look(page, picture, `/nets/${running}`, 'net-busy');
  await look(page, picture, `/nets/${loaded}`, 'net-idle');
  await page.keyboard.press('?');
  await picture('keys');
  await page.keyboard.press('Escape');
  await look(page, picture, `/workers/${first}`, 'worker-busy');
  await page.getByRole('button', { name: 'Destroy', exact: true }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await picture('question');
  await page.keyboard.press('Escape');
  await page.goto('/kit');
  await fits(page, 'the design kit');
  await picture('kit');
});

const LARGE = join(process.env.MUSTER_NETS_DIR ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'nets'), 'Philosophers-PT-001000.pnml');

test('a large net', async ({ admin: page, picture }) => {
  test.skip(!existsSync(LARGE), `${LARGE} is not there`);
  await page.goto('/nets?new');
  await page.getByLabel('Name', { exact: true }).fill('large');
  await page.getByLabel(/PNML file/i).setInputFiles(LARGE);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'large' })).toBeVisible();
  await expect(page.locator('canvas')).toBeVisible();
  await picture('map');
  const find = page.getByRole('searchbox', { name: 'Find a place or transition' });
  await find.fill('fork_17');
  await find.press('Enter');
  await expect(page.getByRole('button', { name: 'Show the whole net' })).toBeVisible();
  await picture('map-found');
});

test('broken, then stale', async ({ admin: page, server, picture, context, consoleGuard }) => {
  await page.goto('/');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  for (const pid of await server.workerPids()) process.kill(pid, 'SIGKILL');
  await expect(page.getByRole('heading', { name: '2 need attention' })).toBeVisible({ timeout: 10_000 });
  await fits(page, 'a broken overview');
  await picture('overview-broken');
  await page.locator('summary[aria-label^="Messages"]').click();
  await picture('messages');
  await look(page, picture, '/workers', 'workers-broken');
  await look(page, picture, '/nets', 'nets-broken');
  await page.getByRole('link', { name: 'Producer' }).click();
  await expect(page.getByText('Not loaded: this is its initial marking.')).toBeVisible();
  await fits(page, 'a net that is lost');
  await picture('net-broken');
  await page.goto('/workers');
  await page.getByRole('link', { name: 'eu-west-1' }).click();
  await expect(page.getByRole('heading', { name: 'eu-west-1' })).toBeVisible();
  await fits(page, 'a broken worker');
  await picture('worker-broken');
  consoleGuard.allowLostConnections();
  await context.setOffline(true);
  await expect(page.getByText('Realtime: disconnected')).toBeVisible();
  await fits(page, 'a stale worker');
  await picture('worker-stale');
  await page.getByRole('navigation', { name: 'Pages' }).locator('a[href="/"]').click();
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  await fits(page, 'a stale overview');
  await picture('overview-stale');
  for (const [path, heading, name] of [['/workers', /^Workers/, 'workers-stale'], ['/nets', /^Nets/, 'nets-stale']] as const) {
    await page.getByRole('navigation', { name: 'Pages' }).locator(`a[href="${path}"]`).click();
    await expect(page.getByRole('heading', { name: heading })).toBeVisible();
    await picture(name);
  }
  await context.setOffline(false);
});

test('hosts', async ({ admin: page, server, picture }) => {
  const hosts = ['hsb1', 'hsb2', LONG.slice(0, 80)].map((name) => host(name));
  const pulled = command(hosts[0], 'pull', 'succeeded');
  const deploy = pipeline(hosts, [[{ state: 'ended', command: pulled.id, status: 'succeeded' }, { state: 'waiting' }]]);
  await append(server, [...hosts.map(hostPut), commandPut(pulled), pipelinePut(deploy)]);
  await look(page, picture, '/hosts', 'hosts-busy');
  await look(page, picture, `/hosts/${hosts[0].id}`, 'host-busy');
  await look(page, picture, '/pipelines', 'pipelines');
  await look(page, picture, `/pipelines/${deploy.id}`, 'pipeline-busy');
});
