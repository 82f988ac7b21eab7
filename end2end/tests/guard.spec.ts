// Every action looks again before it is done: what changed between the picture and the click is caught, named, and nothing happens twice.

import type { Browser, Locator, Page, Route } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import type { MusterServer } from '../muster-server.ts';

test.describe.configure({ timeout: 90_000 });

/** A persistent worker that is ready, and its id. */
async function readyWorker(page: Page, name: string): Promise<string> {
  const [cluster] = await (await page.request.get('/api/clusters')).json();
  const data = { name, cluster_id: cluster.id, category: 'persistent', cpus: 1, memory_mb: 64 };
  const { worker } = await (await page.request.post('/api/workers', { data })).json();
  const made = await page.request.post(`/api/workers/${worker.id}/provision`);
  expect(made.ok(), await made.text()).toBe(true);
  return worker.id;
}

async function worker(page: Page, id: string): Promise<any> {
  return (await page.request.get(`/api/workers/${id}`)).json();
}

/** The workers page, live. */
async function openWorkers(page: Page): Promise<void> {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
}

function rowOf(page: Page, name: string): Locator {
  return page.locator(`[data-worker="${name}"]`);
}

/** A browser of its own, with the same user. */
async function another(browser: Browser, server: MusterServer): Promise<Page> {
  const context = await browser.newContext({ baseURL: server.url });
  await context.addCookies(server.administrator!);
  return context.newPage();
}

async function events(page: Page): Promise<any[]> {
  return (await (await page.request.get('/api/state')).json()).state.events;
}

async function times(page: Page, text: string): Promise<number> {
  return (await events(page)).filter((event) => event.text === text).length;
}

test('a state that another browser changed between render and click is caught by the guard and named', async ({
  admin: page,
  browser,
  server,
}) => {
  const id = await readyWorker(page, 'guarded');
  await openWorkers(page);
  await expect(rowOf(page, 'guarded')).toContainText('ready');
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/do/worker')) sent.push(request.url());
  });
  // The click comes first; the guard's question is answered only once the other browser has stopped the worker.
  let asked = (): void => {};
  const guardAsks = new Promise<void>((resolve) => (asked = resolve));
  let go = (): void => {};
  const stopped = new Promise<void>((resolve) => (go = resolve));
  await page.route(`**/api/workers/${id}`, async (route: Route) => {
    asked();
    await stopped;
    await route.continue();
  });
  await rowOf(page, 'guarded').getByRole('button', { name: 'Stop' }).click();
  await guardAsks;
  const other = await another(browser, server);
  await openWorkers(other);
  await rowOf(other, 'guarded').getByRole('button', { name: 'Stop' }).click();
  await expect(rowOf(other, 'guarded')).toContainText('stopped');
  go();
  await expect(
    page.getByText('Worker state has changed — it is now stopped. Please review before retrying. Ada stopped it', { exact: false }).first(),
  ).toBeVisible();
  expect(sent, 'nothing was sent').toEqual([]);
  expect(await times(page, 'Worker guarded is stopped')).toBe(1);
  await other.context().close();
});

test('a race past the guard is caught by the server', async ({ admin: page, browser, server, consoleGuard }) => {
  consoleGuard.allow(/status of 412/);
  await readyWorker(page, 'raced');
  await openWorkers(page);
  await expect(rowOf(page, 'raced')).toContainText('ready');
  // The guard has looked and found nothing; what it sends is held until the other browser was quicker.
  let holds = (): void => {};
  const held = new Promise<void>((resolve) => (holds = resolve));
  let go = (): void => {};
  const stopped = new Promise<void>((resolve) => (go = resolve));
  await page.route('**/do/worker*', async (route) => {
    holds();
    await stopped;
    await route.continue();
  });
  await rowOf(page, 'raced').getByRole('button', { name: 'Stop' }).click();
  await held;
  const other = await another(browser, server);
  await openWorkers(other);
  await rowOf(other, 'raced').getByRole('button', { name: 'Stop' }).click();
  await expect(rowOf(other, 'raced')).toContainText('stopped');
  go();
  await expect(
    page.getByText(/raced changed since you looked; it is now stopped\. Ada stopped it \d+ s ago\. Review it and try again\./).first(),
  ).toBeVisible();
  expect(await times(page, 'Worker raced is stopped')).toBe(1);
  await other.context().close();
});

test('a double click does it once', async ({ admin: page }) => {
  await readyWorker(page, 'double');
  await openWorkers(page);
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/do/worker')) sent.push(request.url());
  });
  await rowOf(page, 'double').getByRole('button', { name: 'Stop' }).dblclick();
  await expect(rowOf(page, 'double')).toContainText('stopped');
  await expect(rowOf(page, 'double').getByRole('button', { name: 'Start' })).toBeVisible();
  expect(sent).toHaveLength(1);
  expect(await times(page, 'Worker double is stopped')).toBe(1);
});

test('a lost answer is asked for again under the same key: done once, and known', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/net::ERR_FAILED/);
  const id = await readyWorker(page, 'lost');
  await openWorkers(page);
  await expect(rowOf(page, 'lost')).toContainText('ready');
  const keys: string[] = [];
  await page.route('**/do/worker*', async (route) => {
    keys.push(new URLSearchParams(route.request().postData() ?? '').get('key') ?? '');
    if (keys.length > 1) return route.continue();
    // The server does it; its answer never comes.
    const answer = await route.fetch();
    expect(answer.ok()).toBe(true);
    await route.abort();
  });
  await rowOf(page, 'lost').getByRole('button', { name: 'Stop' }).click();
  await expect(rowOf(page, 'lost')).toContainText('stopped');
  await expect.poll(() => keys.length).toBe(2);
  expect(keys[0]).not.toBe('');
  expect(keys[1]).toBe(keys[0]);
  expect(await times(page, 'Worker lost is stopped')).toBe(1);
  expect((await worker(page, id)).last_action).toMatchObject({ action: 'stop', actor: { name: 'Ada' } });
  await expect(page.getByRole('alert').filter({ hasText: 'Could not' })).toHaveCount(0);
});

test('a deletion is undone from another tab', async ({ admin: page, context, picture }) => {
  const id = await readyWorker(page, 'undone');
  await openWorkers(page);
  const other = await context.newPage();
  await openWorkers(other);
  await rowOf(page, 'undone').getByLabel('More actions on undone').click();
  await rowOf(page, 'undone').getByRole('button', { name: 'Delete' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('For 10 s it can be undone.');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await expect(rowOf(page, 'undone')).toContainText(/Deleting in \d+ s/);
  await picture('worker-deleting');
  await page.close();

  await expect(rowOf(other, 'undone')).toContainText(/Deleting in \d+ s/);
  await expect(rowOf(other, 'undone').getByRole('button', { name: 'Stop' })).toHaveCount(0);
  await rowOf(other, 'undone').getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(rowOf(other, 'undone').getByRole('button', { name: 'Stop' })).toBeVisible();
  expect((await worker(other, id)).status).toBe('ready');
  // A later deletion is carried out by the same hand: when it has gone, the first one's time has long passed.
  const [net] = await (await other.request.get('/api/nets')).json();
  await other.request.delete(`/api/nets/${net.id}`);
  await expect.poll(async () => (await other.request.get(`/api/nets/${net.id}`)).status(), { timeout: 20_000 }).toBe(404);
  expect((await worker(other, id)).status).toBe('ready');
});

test('a deletion happens although every tab is closed and the server restarts', async ({ admin: page, restartServer }) => {
  const id = await readyWorker(page, 'gone');
  const answer = await page.request.delete(`/api/workers/${id}`);
  expect((await answer.json()).message).toBe('Deleting gone in 10 s. Until then it can be undone.');
  await page.goto('about:blank');
  await restartServer();
  expect((await worker(page, id)).operation.waiting.until).toBeGreaterThan(0);
  await expect.poll(async () => (await page.request.get(`/api/workers/${id}`)).status(), { timeout: 20_000 }).toBe(404);
  const said = (await (await page.request.get(`/api/workers/${id}`)).json()).detail;
  expect(said).toMatch(/^There is no worker with this id any more: Ada deleted it \d+ s ago\.$/);
});

test('without JavaScript a deletion waits and is undone by a form', { tag: '@no-js' }, async ({ admin: page, picture }) => {
  const id = await readyWorker(page, 'plain');
  await page.goto('/workers');
  const row = rowOf(page, 'plain');
  await row.getByLabel('More actions on plain').click();
  await row.getByRole('button', { name: 'Delete' }).click();
  await expect(rowOf(page, 'plain')).toContainText(/Deleting in \d+ s/);
  await picture('no-js-deleting');
  await rowOf(page, 'plain').getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(rowOf(page, 'plain')).toContainText('ready');
  await expect(rowOf(page, 'plain').getByRole('button', { name: 'Stop' })).toBeVisible();
  expect((await worker(page, id)).operation).toBeUndefined();
});
