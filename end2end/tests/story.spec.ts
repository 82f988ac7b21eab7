// The whole story of an operator's first hour, against the real program: every step through the page.

import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import type { MusterServer } from '../muster-server.ts';

const NET = join(import.meta.dirname, '..', '..', 'src', 'petri', 'samples', 'producer_consumer.pnml');

test.describe.configure({ mode: 'serial', timeout: 120_000 });

/** The process of the one worker. */
async function workerPid(server: MusterServer): Promise<number> {
  const pids = await server.workerPids();
  expect(pids).toHaveLength(1);
  return pids[0]!;
}

function workerRow(page: Page): Locator {
  return page.locator('[data-worker="eu-1"]');
}

/** The rows as the server has them, asked with the page's own session. */
async function rows(page: Page, what: string): Promise<any[]> {
  return (await page.request.get(`/api/${what}`)).json();
}

async function theNet(page: Page): Promise<any> {
  return (await rows(page, 'nets')).find((net) => net.name === 'my net');
}

/** How often the net has fired, as its page says; a number that a dash is not. */
async function firings(page: Page): Promise<number> {
  return Number((await page.locator('[data-firings]').getAttribute('data-firings')) ?? '0');
}

async function goTo(page: Page, path: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).locator(`a[href="${path}"]`).click();
}

async function openNet(page: Page): Promise<void> {
  await goTo(page, '/nets');
  await page.getByRole('link', { name: 'my net' }).click();
  await expect(page.getByRole('heading', { name: 'my net' })).toBeVisible();
}

async function loadAndRun(page: Page): Promise<void> {
  await openNet(page);
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Unload', exact: true })).toBeVisible();
  await page.getByTitle(/Firings per second/).fill('200');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Stop', exact: true })).toBeEnabled();
}

test('set up, create a worker, provision it, add a net, assign, load, run: tokens move', async ({ admin: page, picture }) => {
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await picture('overview-first');

  await goTo(page, '/workers');
  await page.getByText('Create worker').click();
  await page.getByLabel('Name').fill('eu-1');
  await page.getByLabel(/Ephemeral/).check();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(workerRow(page)).toContainText('pending');
  await workerRow(page).getByRole('button', { name: 'Provision' }).click();
  await expect(workerRow(page)).toContainText('ready');

  await goTo(page, '/nets');
  await page.getByText('Add net').first().click();
  await page.getByLabel('Name').fill('my net');
  await page.getByLabel(/PNML file/i).setInputFiles(NET);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'my net' })).toBeVisible();
  await page.getByLabel(/worker for/i).selectOption({ label: 'eu-1' });
  await page.getByRole('button', { name: 'Assign', exact: true }).click();
  await loadAndRun(page);

  // The tokens of a place, as drawn, change by themselves.
  const places = page.locator('[data-tokens]');
  const marking = async () => places.evaluateAll((all) => all.map((place) => place.getAttribute('data-tokens')).join(' '));
  const first = await marking();
  await expect.poll(marking).not.toBe(first);
  const before = await firings(page);
  await expect.poll(() => firings(page)).toBeGreaterThan(before);
  await picture('net-running');
  await goTo(page, '/workers');
  await picture('workers-ready');
});

test('kill -9 of the worker: the page says so within 2 s, without reload', async ({ admin: page, server, picture }) => {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await workerRow(page).getByRole('button', { name: /Nets of/ }).click();
  await expect(workerRow(page)).toContainText('1 of 1 loaded');
  const killed = Date.now();
  process.kill(await workerPid(server), 'SIGKILL');
  await expect(workerRow(page)).toContainText('error', { timeout: 2_000 });
  await expect(workerRow(page)).toContainText('0 of 1 loaded', { timeout: Math.max(1, killed + 2_000 - Date.now()) });
  await expect(workerRow(page)).toContainText('unloaded');
  expect((await theNet(page)).load_state).toBe('unloaded');
  await picture('workers-broken');
});

test('provision again, load again', async ({ admin: page }) => {
  await page.goto('/workers');
  await workerRow(page).getByRole('button', { name: 'Provision' }).click();
  await expect(workerRow(page)).toContainText('ready');
  await loadAndRun(page);
});

test('kill -STOP is seen within 15 s; kill -CONT brings the running net back', async ({ admin: page, server }) => {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  const pid = await workerPid(server);
  process.kill(pid, 'SIGSTOP');
  try {
    await expect(workerRow(page)).toContainText('unreachable', { timeout: 15_000 });
    await expect(workerRow(page)).toContainText('0 of 1 loaded');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await expect(workerRow(page)).toContainText('ready', { timeout: 15_000 });
  await expect(workerRow(page)).toContainText('1 of 1 loaded');
  const net = await theNet(page);
  expect([net.load_state, net.run_state]).toEqual(['loaded', 'running']);
});

test('the server restarts: the page recovers by itself, and the net has kept running', async ({ admin: page, server, restartServer }) => {
  await openNet(page);
  await expect.poll(() => firings(page)).toBeGreaterThan(0);
  const [before, pid] = [await firings(page), await workerPid(server)];
  await page.evaluate(() => ((window as any).notReloaded = true));
  await restartServer();
  await expect(page.getByText('Realtime: connected')).toBeVisible({ timeout: 30_000 });
  await expect.poll(() => firings(page), { timeout: 15_000 }).toBeGreaterThan(before);
  expect(await page.evaluate(() => (window as any).notReloaded)).toBe(true);
  expect(await workerPid(server)).toBe(pid);
  const net = await theNet(page);
  expect([net.load_state, net.run_state]).toEqual(['loaded', 'running']);
});
