// What guard.spec.ts and bulk.spec.ts do with the mouse, by keyboard alone: every control is reached, and the focus is never lost.

import type { Browser, Locator, Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { ask, createWorker, readyWorker } from '../fleet.ts';
import type { MusterServer } from '../muster-server.ts';

test.describe.configure({ timeout: 90_000 });

function rowOf(page: Page, name: string): Locator {
  return page.locator(`[data-worker="${name}"]`);
}

/** The workers page, live; from the page where the browser is now, by keys. */
async function openWorkers(page: Page): Promise<void> {
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await expect(page.getByRole('heading', { name: /^Workers/ })).toBeVisible();
}

/** Finds a worker by its name and has the focus on its row. */
async function goTo(page: Page, name: string): Promise<void> {
  await page.keyboard.press('/');
  await expect(page.getByLabel('Filter workers')).toBeFocused();
  await page.keyboard.type(name);
  await expect(page.locator('.entry')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(rowOf(page, name).locator('> tr').first()).toBeFocused();
}

/** Presses `key` until `what` has the focus. */
async function moveTo(page: Page, what: Locator, key = 'Tab', most = 12): Promise<void> {
  const focused = () => what.evaluateAll((all) => all.includes(document.activeElement as HTMLElement));
  for (let n = 0; n < most && !(await focused()); n++) await page.keyboard.press(key);
  await expect(what).toBeFocused();
}

/** Has the focus on the row's button of this name. */
async function moveToAction(page: Page, name: string, action: string): Promise<void> {
  await page.keyboard.press('.');
  await expect(rowOf(page, name).locator('.cell-actions :focus')).toHaveCount(1);
  await moveTo(page, rowOf(page, name).getByRole('button', { name: action, exact: true }), 'Shift+Tab');
}

/** The focus is on something of that row, so that the next key goes on from there. */
async function expectFocusIn(page: Page, name: string): Promise<void> {
  await expect(rowOf(page, name).locator(':focus')).toHaveCount(1);
}

/** Somebody else's browser, with the same user, on the overview. */
async function another(browser: Browser, server: MusterServer): Promise<Page> {
  const context = await browser.newContext({ baseURL: server.url });
  await context.addCookies(server.administrator!);
  const page = await context.newPage();
  await page.goto('/');
  return page;
}

async function times(page: Page, text: string): Promise<number> {
  return (await ask(page, 'get', 'state')).state.events.filter((event: any) => event.text === text).length;
}

/** Holds the first request to `url` until it is let go; `asked` once it is there. */
async function hold(page: Page, url: string): Promise<{ asked: Promise<void>; go: () => void }> {
  let go = (): void => {};
  const released = new Promise<void>((resolve) => (go = resolve));
  let there = (): void => {};
  const asked = new Promise<void>((resolve) => (there = resolve));
  await page.route(url, async (route) => {
    there();
    await released;
    await route.continue();
  });
  return { asked, go };
}

function sent(page: Page): string[] {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/do/worker')) sent.push(request.url());
  });
  return sent;
}

test('a state that another browser changed is caught by the guard', async ({ admin: page, browser, server }) => {
  const id = await readyWorker(page, 'guarded', 'persistent');
  await openWorkers(page);
  await goTo(page, 'guarded');
  const requests = sent(page);
  const { asked, go } = await hold(page, `**/api/workers/${id}`);
  await moveToAction(page, 'guarded', 'Stop');
  await page.keyboard.press('Enter');
  await asked;
  const other = await another(browser, server);
  await openWorkers(other);
  await goTo(other, 'guarded');
  await moveToAction(other, 'guarded', 'Stop');
  await other.keyboard.press('Enter');
  await expect(rowOf(other, 'guarded')).toContainText('stopped');
  await expectFocusIn(other, 'guarded');
  go();
  await expect(
    page.getByText('Worker state has changed — it is now stopped. Please review before retrying. Ada stopped it', { exact: false }).first(),
  ).toBeVisible();
  await expectFocusIn(page, 'guarded');
  expect(requests, 'nothing was sent').toEqual([]);
  expect(await times(page, 'Worker guarded is stopped')).toBe(1);
  await other.context().close();
});

test('a race past the guard is caught by the server', async ({ admin: page, browser, server, consoleGuard }) => {
  consoleGuard.allow(/status of 412/);
  await readyWorker(page, 'raced', 'persistent');
  await openWorkers(page);
  await goTo(page, 'raced');
  const { asked, go } = await hold(page, '**/do/worker*');
  // By the palette, which leaves the focus where it was.
  await page.keyboard.press('Control+k');
  await page.keyboard.type('stop raced');
  await expect(page.getByRole('option', { name: /^Stop raced/ })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(rowOf(page, 'raced').locator('> tr').first()).toBeFocused();
  await asked;
  const other = await another(browser, server);
  await openWorkers(other);
  await goTo(other, 'raced');
  await moveToAction(other, 'raced', 'Stop');
  await other.keyboard.press('Enter');
  await expect(rowOf(other, 'raced')).toContainText('stopped');
  go();
  await expect(
    page.getByText(/raced changed since you looked; it is now stopped\. Ada stopped it \d+ s ago\. Review it and try again\./).first(),
  ).toBeVisible();
  await expectFocusIn(page, 'raced');
  expect(await times(page, 'Worker raced is stopped')).toBe(1);
  // The message stays until it is dismissed, which is possible from here, and the focus goes on to somewhere.
  await moveTo(page, page.getByRole('button', { name: 'Dismiss', exact: true }).first(), 'Tab', 20);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Dismiss', exact: true })).toHaveCount(0);
  await expect(page.locator('main')).toBeFocused();
  await other.context().close();
});

test('pressing Enter twice does it once', async ({ admin: page }) => {
  await readyWorker(page, 'double', 'persistent');
  await openWorkers(page);
  await goTo(page, 'double');
  const requests = sent(page);
  await moveToAction(page, 'double', 'Stop');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect(rowOf(page, 'double')).toContainText('stopped');
  await expect(rowOf(page, 'double').getByRole('button', { name: 'Start' })).toBeVisible();
  await expectFocusIn(page, 'double');
  await expect(page, 'the second press opened nothing').toHaveURL(/\/workers/);
  expect(requests).toHaveLength(1);
  expect(await times(page, 'Worker double is stopped')).toBe(1);
  // The opposite action is one Tab away.
  await moveTo(page, rowOf(page, 'double').getByRole('button', { name: 'Start' }), 'Tab', 1);
});

test('a lost answer is asked for again under the same key', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/net::ERR_FAILED/);
  const id = await readyWorker(page, 'lost', 'persistent');
  await openWorkers(page);
  await goTo(page, 'lost');
  // From the worker's own page, where its actions are the first things.
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'lost' })).toBeVisible();
  const keys: string[] = [];
  await page.route('**/do/worker*', async (route) => {
    keys.push(new URLSearchParams(route.request().postData() ?? '').get('key') ?? '');
    if (keys.length > 1) return route.continue();
    // The server does it; its answer never comes.
    const answer = await route.fetch();
    expect(answer.ok()).toBe(true);
    await route.abort();
  });
  const main = page.locator('main');
  await expect(main, 'a page that was gone to has the focus').toBeFocused();
  await moveTo(page, main.getByRole('button', { name: 'Stop', exact: true }), 'Tab', 4);
  await page.keyboard.press('Enter');
  await expect(main.getByRole('button', { name: 'Start', exact: true })).toBeVisible();
  await expect.poll(() => keys.length).toBe(2);
  expect(keys[0]).not.toBe('');
  expect(keys[1]).toBe(keys[0]);
  expect(await times(page, 'Worker lost is stopped')).toBe(1);
  expect((await ask(page, 'get', `workers/${id}`)).last_action).toMatchObject({ action: 'stop', actor: { name: 'Ada' } });
  await expect(page.getByRole('alert').filter({ hasText: 'Could not' })).toHaveCount(0);
  await moveTo(page, main.getByRole('button', { name: 'Start', exact: true }), 'Tab', 1);
});

test('stopping several workers, one of them not stoppable, says so before and after', async ({ admin: page }) => {
  for (const n of [1, 2, 3]) await readyWorker(page, `bulk-${n}`, 'persistent');
  await readyWorker(page, 'bulk-4', 'ephemeral');
  await openWorkers(page);
  await page.keyboard.press('/');
  await page.keyboard.type('bulk');
  await expect(page.locator('.entry')).toHaveCount(4);
  await page.keyboard.press('Enter');
  await expect(rowOf(page, 'bulk-1').locator('> tr').first()).toBeFocused();
  for (let n = 1; n <= 4; n++) {
    await page.keyboard.press('x');
    await page.keyboard.press('ArrowDown');
  }
  await expect(page.getByText('4 workers selected')).toBeVisible();
  const selection = page.getByRole('region', { name: 'Selection' });
  await page.keyboard.press('.');
  await moveTo(page, selection.getByRole('button', { name: 'Stop…' }), 'Tab', 4);
  const requests = sent(page);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('heading', { name: 'Stop 4 workers?' })).toBeVisible();
  await expect(dialog).toContainText('3 of them permit it now; 1 worker will be left as they are.');
  await expect(dialog).toContainText('Cannot stop bulk-4: it is ephemeral (ready), and an ephemeral worker lives once.');
  expect(requests, 'nothing is sent before the operator has seen it').toEqual([]);
  await moveTo(page, dialog.getByRole('button', { name: 'Stop 3 workers' }), 'Tab', 5);
  await page.keyboard.press('Enter');
  // Pressed twice, it neither begins again nor stops what has begun.
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText('Stop: 3 of 4 workers done, 1 refused.', { timeout: 30_000 });
  await expect(dialog.locator('[data-bulk="refused"] li')).toHaveCount(1);
  expect(requests).toHaveLength(3);
  await moveTo(page, dialog.getByRole('button', { name: 'Close' }), 'Tab', 6);
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(selection.getByRole('button', { name: 'Stop…' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(selection).toHaveCount(0);
});

test('a deletion is undone from another tab', async ({ admin: page, context }) => {
  const id = await readyWorker(page, 'undone', 'persistent');
  const other = await context.newPage();
  await other.goto('/');
  await openWorkers(other);
  await openWorkers(page);
  await goTo(page, 'undone');
  await page.keyboard.press('.');
  await moveTo(page, rowOf(page, 'undone').getByRole('button', { name: 'Delete' }), 'ArrowDown');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Delete undone?' });
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  // Backing out leaves the focus where it came from.
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(rowOf(page, 'undone').getByLabel('More actions on undone')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(rowOf(page, 'undone').getByRole('button', { name: 'Delete' })).toBeFocused();
  await page.keyboard.press('Enter');
  await moveTo(page, dialog.getByRole('button', { name: 'Delete' }), 'Tab', 2);
  await page.keyboard.press('Enter');
  await expect(rowOf(page, 'undone')).toContainText(/Deleting in \d+ s/);
  await expectFocusIn(page, 'undone');
  await page.close();

  await goTo(other, 'undone');
  await expect(rowOf(other, 'undone')).toContainText(/Deleting in \d+ s/);
  await other.keyboard.press('.');
  await expect(rowOf(other, 'undone').getByRole('button', { name: 'Undo', exact: true })).toBeFocused();
  await other.keyboard.press('Enter');
  await expect(rowOf(other, 'undone').getByRole('button', { name: 'Stop' })).toBeVisible();
  await expectFocusIn(other, 'undone');
  expect((await ask(other, 'get', `workers/${id}`)).status).toBe('ready');
});

test('a row that goes leaves the focus to the one that comes to its place', async ({ admin: page }) => {
  for (const name of ['leaves-1', 'leaves-2', 'leaves-3']) await createWorker(page, name);
  await openWorkers(page);
  await page.keyboard.press('/');
  await page.keyboard.type('leaves');
  await expect(page.locator('.entry')).toHaveCount(3);
  await page.keyboard.press('Enter');
  await expect(rowOf(page, 'leaves-1').locator('> tr').first()).toBeFocused();
  await page.keyboard.press('j');
  await expect(rowOf(page, 'leaves-2').locator('> tr').first()).toBeFocused();
  const gone = (await ask(page, 'get', 'workers')).find((worker: any) => worker.name === 'leaves-2');
  await ask(page, 'delete', `workers/${gone.id}`);
  await expect(rowOf(page, 'leaves-2')).toHaveCount(0, { timeout: 20_000 });
  await expect(rowOf(page, 'leaves-3').locator('> tr').first()).toBeFocused();
});
