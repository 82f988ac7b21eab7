// One stream per browser: the tabs share it, hand it on, and end together.

import type { BrowserContext, Page } from '@playwright/test';

import { ADMINISTRATOR, fillSignIn } from '../accounts.ts';
import { expect, test } from '../fixtures.ts';
import { createWorker, endSession } from '../fleet.ts';
import { PlainTab, signIn } from '../plain-tabs.ts';
import { Streams } from '../streams.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const connected = (page: Page) => page.getByText('Realtime: connected');
const row = (page: Page, name: string) => page.locator(`[data-worker="${name}"]`);

/** So many tabs of the workers page, all of them live; the first is `page`. */
async function openTabs(page: Page, count: number): Promise<Page[]> {
  await page.goto('/workers');
  await expect(connected(page)).toBeVisible();
  const tabs = [page];
  while (tabs.length < count) {
    const tab = await page.context().newPage();
    await tab.goto('/workers');
    await expect(connected(tab)).toBeVisible({ timeout: 15_000 });
    tabs.push(tab);
  }
  return tabs;
}

function watch(context: BrowserContext): Streams {
  return new Streams(context);
}

function measured(what: string, since: number): void {
  console.log(`    ${what} after ${Date.now() - since} ms`);
}

test('ten tabs hold one stream, and all of them show what it brings', async ({ admin: page, context }) => {
  await page.goto('about:blank');
  const streams = watch(context);
  const tabs = await openTabs(page, 10);
  expect(streams.open).toBe(1);
  expect(streams.opened).toBe(1);
  await createWorker(page, 'for-ten');
  const made = Date.now();
  for (const tab of tabs) await expect(row(tab, 'for-ten')).toHaveCount(1);
  measured('ten tabs showed a new worker', made);
  expect(streams.open).toBe(1);
});

test('when the tab that holds the stream closes, another has it within 3 s', async ({ admin: page, context }) => {
  await page.goto('about:blank');
  const streams = watch(context);
  const tabs = await openTabs(page, 3);
  const [leader] = streams.holders();
  const others = tabs.filter((tab) => tab !== leader);
  const closed = Date.now();
  await leader!.close();
  await expect.poll(() => streams.open, { timeout: 3_000, intervals: [50] }).toBe(1);
  for (const tab of others) await expect(connected(tab)).toBeVisible({ timeout: Math.max(1, closed + 3_000 - Date.now()) });
  measured('the stream was handed over', closed);
  await createWorker(others[0]!, 'after-closing');
  for (const tab of others) await expect(row(tab, 'after-closing')).toHaveCount(1);
  expect(streams.open).toBe(1);
});

test('when the tab that holds the stream hangs, another has it within 15 s', async ({ admin: page, context }) => {
  await page.goto('about:blank');
  const streams = watch(context);
  const tabs = await openTabs(page, 3);
  const [leader] = streams.holders();
  const others = tabs.filter((tab) => tab !== leader);
  const browser = await context.newCDPSession(leader!);
  // Paused, it runs nothing; but its connection and its timers are the browser's still.
  await browser.send('Debugger.enable');
  await browser.send('Debugger.pause');
  const frozen = Date.now();
  const taken = () => streams.holders().some((holder) => holder !== leader);
  await expect.poll(taken, { timeout: 15_000, intervals: [100] }).toBe(true);
  for (const tab of others) await expect(connected(tab)).toBeVisible({ timeout: Math.max(1, frozen + 15_000 - Date.now()) });
  measured('the stream of a tab that hangs was taken over', frozen);
  await createWorker(others[0]!, 'while-frozen');
  for (const tab of others) await expect(row(tab, 'while-frozen')).toHaveCount(1);
  await browser.send('Debugger.disable');
  await expect(row(leader!, 'while-frozen')).toHaveCount(1, { timeout: 15_000 });
  await expect(connected(leader!)).toBeVisible({ timeout: 15_000 });
  await expect.poll(() => streams.open, { timeout: 15_000 }).toBe(1);
});

for (const told of [true, false]) {
  const how = told ? 'and tells it' : 'and does not tell it';
  test(`when the browser freezes the tab that holds the stream ${how}, another has it within 15 s`, async ({ admin: page, browser, server }) => {
    const session = await signIn(browser, await page.context().cookies());
    const first = await PlainTab.open(session, `${server.url}/workers`);
    /** Whether a tab holds the lock that all of them share. */
    const leads = (tab: PlainTab) =>
      tab.holds(`navigator.locks.request('who-am-i', async () => {
        const { held } = await navigator.locks.query();
        const holder = (name) => held.find((lock) => lock.name.startsWith(name))?.clientId;
        return holder('muster-') === holder('who-am-i');
      })`);
    const name = told ? 'frozen-and-told' : 'frozen-and-not-told';
    const live = (tab: PlainTab) => tab.shows('Realtime: connected');
    await expect.poll(() => live(first), { timeout: 15_000 }).toBe(true);
    const other = await PlainTab.open(session, `${server.url}/workers`);
    await expect.poll(() => live(other), { timeout: 15_000 }).toBe(true);
    expect(await leads(first)).toBe(true);
    await expect.poll(() => first.evaluate('document.visibilityState')).toBe('hidden');
    await first.evaluate(`window.ticks = 0; setInterval(() => (window.ticks += 1), 100); addEventListener('freeze', () => (window.froze = true), { capture: true })`);
    // The page's own listener is at the document: what is stopped before it gets there, it never hears of.
    if (!told) await first.evaluate(`addEventListener('freeze', (event) => event.stopImmediatePropagation(), { capture: true })`);
    const frozen = Date.now();
    await first.freeze();
    const ticks = await first.evaluate('window.ticks');
    await expect.poll(() => leads(other), { timeout: 15_000, intervals: [100] }).toBe(true);
    await expect.poll(() => live(other), { timeout: Math.max(1, frozen + 15_000 - Date.now()), intervals: [100] }).toBe(true);
    measured('the stream of a frozen tab was taken over', frozen);
    await createWorker(page, name);
    await expect.poll(() => other.shows(name)).toBe(true);
    expect(await first.evaluate('[window.froze, window.ticks]'), 'it really was frozen').toEqual([true, ticks]);
    await first.thaw();
    await expect.poll(() => first.shows(name), { timeout: 15_000 }).toBe(true);
    await expect.poll(() => live(first), { timeout: 15_000 }).toBe(true);
    expect(await leads(other)).toBe(true);
    await first.close();
    await other.close();
  });
}

test('a tab that comes late catches up, and one without locks has a stream of its own', async ({ admin: page, context }) => {
  await page.goto('about:blank');
  const streams = watch(context);
  await openTabs(page, 2);
  const lone = await context.newPage();
  await lone.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined }));
  await lone.goto('/workers');
  await expect(connected(lone)).toBeVisible();
  expect(streams.open).toBe(2);
  await createWorker(page, 'seen-by-all');
  await expect(row(lone, 'seen-by-all')).toHaveCount(1);
  const late = await context.newPage();
  await late.goto('/workers');
  await expect(connected(late)).toBeVisible();
  await expect(row(late, 'seen-by-all')).toHaveCount(1);
  expect(streams.open).toBe(2);
});

test('a tab that joins gets the latest figures from its leader, not with the next batch', async ({ admin: page, context }) => {
  const [leader] = await openTabs(page, 1);
  const id = await createWorker(leader!, 'has-figures');
  await leader!.evaluate((id) => fetch(`/api/workers/${id}/provision`, { method: 'POST' }).then(() => undefined), id);
  await expect(row(leader!, 'has-figures')).toContainText(/\d %/, { timeout: 20_000 });
  const late = await context.newPage();
  await late.addInitScript(() => {
    const heard: string[] = ((window as any).heard = []);
    window.BroadcastChannel = class extends BroadcastChannel {
      constructor(name: string) {
        super(name);
        this.addEventListener('message', ({ data: [note, event] }) => {
          const frame = JSON.parse(note).frame;
          if (frame?.to != null) heard.push(event);
        });
      }
    };
  });
  await late.goto('/workers');
  await expect(connected(late)).toBeVisible();
  await expect.poll(() => late.evaluate(() => (window as any).heard)).toEqual(['sync', 'telemetry']);
  await expect(row(late, 'has-figures')).toContainText(/\d %/);
  await leader!.evaluate((id) => fetch(`/api/workers/${id}/destroy`, { method: 'POST' }).then(() => undefined), id);
  await expect(row(leader!, 'has-figures')).toContainText('pending', { timeout: 15_000 });
});

test('a session that ended is renewed in place, once for all tabs', async ({ admin: page, context, server, consoleGuard }) => {
  consoleGuard.allow(/status of 401/);
  const tabs = await openTabs(page, 3);
  for (const tab of tabs) await tab.evaluate(() => ((window as any).notReloaded = true));
  await endSession(page);
  for (const tab of tabs) {
    await expect(tab.getByText('Realtime: disconnected, signed out')).toBeVisible({ timeout: 15_000 });
    await expect(tab.getByRole('dialog')).toBeVisible();
    await expect(tab.getByRole('dialog').getByLabel('Email')).toHaveValue(ADMINISTRATOR.email);
  }
  const dialog = tabs[1]!.getByRole('dialog');
  await dialog.getByLabel('Password').fill('not the password');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await expect(dialog.getByRole('alert')).toContainText(/password/i);
  await dialog.getByLabel('Password').fill(ADMINISTRATOR.password);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  for (const tab of tabs) {
    await expect(tab.getByRole('dialog')).toHaveCount(0);
    await expect(connected(tab)).toBeVisible();
    expect(await tab.evaluate(() => (window as any).notReloaded)).toBe(true);
  }
  server.administrator = await context.cookies();
  await createWorker(page, 'after-signing-in-again');
  for (const tab of tabs) await expect(row(tab, 'after-signing-in-again')).toHaveCount(1);
});

test('signing out in one tab empties every tab', async ({ admin: page, context, server, consoleGuard }) => {
  // The stream of the tab that leads may be asked for once more before it hears.
  consoleGuard.allow(/status of 401/);
  const streams = watch(context);
  const tabs = await openTabs(page, 3);
  await createWorker(page, 'secret');
  for (const tab of tabs) await expect(row(tab, 'secret')).toHaveCount(1);
  const last = tabs[2]!;
  await last.locator('summary[aria-label^="Account"]').click();
  await last.getByRole('button', { name: 'Sign out' }).click();
  for (const tab of tabs) {
    await expect(tab).toHaveURL(/\/sign-in$/);
    await expect(tab.getByText('secret')).toHaveCount(0);
  }
  await expect.poll(() => streams.open).toBe(0);
  expect((await page.request.get('/api/state')).status()).toBe(401);
  await fillSignIn(page, ADMINISTRATOR.email, ADMINISTRATOR.password);
  await expect(page).toHaveURL(`${server.url}/`);
  server.administrator = await context.cookies();
});
