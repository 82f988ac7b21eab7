// Live, and honest when not: the badge, the age of what is shown, the poll behind the stream.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { createWorker } from '../fleet.ts';
import { Streams } from '../streams.ts';

test.describe.configure({ mode: 'serial', timeout: 60_000 });

const connected = (page: Page) => page.getByText('Realtime: connected');
const row = (page: Page, name: string) => page.locator(`[data-worker="${name}"]`);

async function openWorkers(page: Page): Promise<void> {
  await page.goto('/workers');
  await expect(connected(page)).toBeVisible();
}

async function switchRealtime(page: Page, to: 'on' | 'off'): Promise<void> {
  await page.locator('summary[aria-label^="Account"]').click();
  await page.getByRole('button', { name: `Switch real-time ${to}` }).click();
}

/** Makes the page think that it went to the background, or came back. */
async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    const state = hidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

/** Returns when the page has dealt with what came before: its own request took the same way. */
async function roundTrip(page: Page): Promise<void> {
  await page.evaluate(async () => (await fetch('/api/projects')).text());
}

function polls(page: Page): string[] {
  const seen: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (['/api/workers', '/api/nets'].includes(pathname) && request.method() === 'GET') seen.push(pathname);
  });
  return seen;
}

test('a browser that goes offline says so, and is live again at once when it is back', async ({ admin: page, context, consoleGuard }) => {
  consoleGuard.allow(/net::ERR_INTERNET_DISCONNECTED/);
  await openWorkers(page);
  await context.setOffline(true);
  await expect(page.getByText('Realtime: disconnected, the browser is offline')).toBeVisible();
  await expect(page.locator('.freshness')).toContainText(/showing .* old — the browser is offline/);
  await context.setOffline(false);
  await expect(connected(page)).toBeVisible({ timeout: 3_000 });
  await expect(page.locator('.freshness')).toContainText('live');
});

test('without a server the badge counts down, figures dim, the age and the reason are told', async ({ admin: page, server, consoleGuard }) => {
  consoleGuard.allowLostConnections();
  await page.goto('/');
  await expect(connected(page)).toBeVisible();
  await page.evaluate(() => ((window as any).notReloaded = true));
  await server.stop();
  await expect(page.getByText(/Realtime: reconnecting in \d+ s \(try \d+\)/)).toBeVisible({ timeout: 15_000 });
  await expect(page.locator('.freshness')).toContainText(/showing .* old — reconnecting in \d+ s/);
  await expect(page.locator('.tile dd').first()).toHaveCSS('opacity', '0.6');
  await server.restart();
  await page.getByRole('button', { name: 'Retry now' }).click({ timeout: 3_000 }).catch(() => undefined);
  await expect(connected(page)).toBeVisible({ timeout: 30_000 });
  await expect(page.locator('.tile dd').first()).toHaveCSS('opacity', '1');
  expect(await page.evaluate(() => (window as any).notReloaded)).toBe(true);
});

test('real-time can be switched off and on, for every tab; then the poll alone feeds the page', async ({ admin: page, context }) => {
  const streams = new Streams(context);
  await page.clock.install();
  await openWorkers(page);
  const other = await context.newPage();
  await other.goto('/');
  await expect(connected(other)).toBeVisible();
  await switchRealtime(page, 'off');
  for (const tab of [page, other]) await expect(tab.getByText('Realtime: disconnected, switched off')).toBeVisible();
  await expect.poll(() => streams.open).toBe(0);
  await expect(page.locator('.freshness')).toContainText('real-time is switched off');
  await createWorker(other, 'polled');
  await expect(row(page, 'polled')).toHaveCount(0);
  await page.clock.fastForward(31_000);
  await expect(row(page, 'polled')).toHaveCount(1);
  await page.reload();
  await expect(page.getByText('Realtime: disconnected, switched off')).toBeVisible();
  expect(streams.open).toBe(0);
  await switchRealtime(page, 'on');
  for (const tab of [page, other]) await expect(connected(tab)).toBeVisible();
  expect(streams.open).toBe(1);
});

test('the workers page revalidates its lists every 30 s, only while it is seen', async ({ admin: page }) => {
  await page.clock.install();
  await openWorkers(page);
  await switchRealtime(page, 'off');
  const seen = polls(page);
  const answered = (path: string) => page.waitForResponse((response) => new URL(response.url()).pathname === path);
  const first = Promise.all([answered('/api/workers'), answered('/api/nets')]);
  await page.clock.fastForward(31_000);
  await first;
  await roundTrip(page);
  expect(seen).toEqual(['/api/workers', '/api/nets']);
  const again = answered('/api/workers');
  await page.clock.fastForward(31_000);
  const answer = await again;
  expect(answer.status()).toBe(304);
  expect(answer.headers()['x-muster-position']).toBeTruthy();
  await expect.poll(() => seen.length).toBe(4);
  await roundTrip(page);

  await setHidden(page, true);
  await page.clock.fastForward(120_000);
  await roundTrip(page);
  expect(seen).toHaveLength(4);
  await setHidden(page, false);
  await expect.poll(() => seen.length, { timeout: 1_000 }).toBe(6);
  await roundTrip(page);
  await setHidden(page, true);
  await setHidden(page, false);
  await roundTrip(page);
  expect(seen, 'thirty seconds are a floor').toHaveLength(6);

  await page.getByRole('navigation', { name: 'Pages' }).locator('a[href="/nets"]').click();
  await expect(page.getByRole('heading', { name: 'Nets' })).toBeVisible();
  await page.clock.fastForward(120_000);
  await roundTrip(page);
  expect(seen, 'other pages do not poll').toHaveLength(6);
  await page.getByRole('navigation', { name: 'Pages' }).locator('a[href="/workers"]').click();
  await expect.poll(() => seen.length).toBe(8);
  await switchRealtime(page, 'on');
});

test('a server that answers 429 is left alone for as long as it asks', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 429/);
  await page.clock.install();
  await openWorkers(page);
  await switchRealtime(page, 'off');
  await page.route('**/api/workers', (route) => route.fulfill({ status: 429, headers: { 'Retry-After': '70' }, body: '{}' }));
  const seen = polls(page);
  await page.clock.fastForward(31_000);
  await expect.poll(() => seen.length).toBe(2);
  await roundTrip(page);
  await page.clock.fastForward(45_000);
  await roundTrip(page);
  expect(seen).toHaveLength(2);
  await page.clock.fastForward(30_000);
  await expect.poll(() => seen.length).toBe(4);
  await switchRealtime(page, 'on');
});

test('a server that answers 429 to the whole state is asked for it no sooner than it says', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 429/);
  await page.clock.install();
  await openWorkers(page);
  await switchRealtime(page, 'off');
  const asked: string[] = [];
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/state') asked.push(request.url());
  });
  await page.route('**/api/state*', (route) => route.fulfill({ status: 429, headers: { 'Retry-After': '70' }, body: '{}' }));
  await createWorker(page, 'asked-for-later');
  await page.clock.fastForward(31_000);
  await expect.poll(() => asked.length, { message: 'the poll is ahead, and the state is asked for' }).toBe(1);
  await roundTrip(page);
  // Two polls more, each of them ahead.
  await page.clock.fastForward(31_000);
  await roundTrip(page);
  await page.clock.fastForward(31_000);
  await roundTrip(page);
  expect(asked).toHaveLength(1);
  await page.unroute('**/api/state*');
  await page.clock.fastForward(10_000);
  await expect(row(page, 'asked-for-later')).toHaveCount(1);
  expect(asked).toHaveLength(2);
  await switchRealtime(page, 'on');
});

test('the workers page tells how long ago it was refreshed, and the figure ticks', async ({ admin: page }) => {
  await openWorkers(page);
  const refreshed = page.locator('[data-refreshed]');
  await expect(refreshed).toHaveText(/last refreshed \d+ s ago/);
  const first = await refreshed.textContent();
  await expect.poll(() => refreshed.textContent(), { timeout: 5_000 }).not.toBe(first);
});

test('a row that changed glows for two seconds, without motion where none is wanted', async ({ admin: page }) => {
  await openWorkers(page);
  const id = await createWorker(page, 'glows');
  await expect(row(page, 'glows')).toHaveCount(1);
  await expect(row(page, 'glows')).not.toHaveClass(/glow/);
  const glowing = page.locator('[data-worker="glows"].glow');
  const seen = glowing.waitFor();
  await page.evaluate((id) => fetch(`/api/workers/${id}/provision`, { method: 'POST' }).then(() => undefined), id);
  await seen;
  await expect(row(page, 'glows')).toContainText('ready', { timeout: 15_000 });
  await expect(glowing).toHaveCount(0, { timeout: 5_000 });

  await page.emulateMedia({ reducedMotion: 'reduce' });
  const still = glowing.locator('tr').first().evaluate((line) => getComputedStyle(line).animationName);
  await page.evaluate((id) => fetch(`/api/workers/${id}/destroy`, { method: 'POST' }).then(() => undefined), id);
  expect(await still).toBe('none');
});

test('recent changes come by themselves, can be cleared, and a worker has its own', async ({ admin: page }) => {
  await page.goto('/');
  await expect(connected(page)).toBeVisible();
  const changes = page.getByRole('region', { name: 'Recent changes' });
  const first = await createWorker(page, 'told-1');
  await expect(changes).toContainText('Worker told-1 created');
  await changes.getByRole('button', { name: 'Clear' }).click();
  await expect(changes.getByRole('listitem')).toHaveCount(0);
  await createWorker(page, 'told-2');
  await expect(changes.getByRole('listitem')).toHaveCount(1);
  await page.goto(`/workers/${first}`);
  const own = page.getByRole('region', { name: 'What happened' });
  await expect(own.getByRole('listitem')).toHaveCount(1);
  await expect(own).toContainText('Worker told-1 created');
});
