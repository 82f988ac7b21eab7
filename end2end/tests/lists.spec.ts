// Long lists: what is in the page, what the address holds, what keys do.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import type { MusterServer } from '../muster-server.ts';
import { startStorm } from '../storm.ts';

const WORKERS = 600;
const NETS = 450;
// Besides them the console has two samples.
const PAGE = 200;

let filled: MusterServer | undefined;

/** The rows, made once for the server of this file. */
async function fill(page: Page, server: MusterServer): Promise<void> {
  if (filled === server) return;
  const { over } = await startStorm(server, { workers: WORKERS, nets: NETS, rate: 0, seconds: 0 });
  await over;
  // It was written beside the server, which reads it a moment later.
  const there = async () => (await (await page.request.get('/api/nets')).json()).length;
  await expect.poll(there, { intervals: [500, 2_000], timeout: 30_000 }).toBe(NETS + 2);
  filled = server;
}

function entries(page: Page) {
  return page.locator('.entry');
}

/** The names of the rows in the page, from the top. */
function names(page: Page): Promise<string[]> {
  return entries(page).locator('.cell-name a').allTextContents();
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByText('Realtime: connected')).toBeVisible({ timeout: 30_000 });
}

test.beforeEach(async ({ admin, server }) => {
  await fill(admin, server);
});

test('only what is seen of a long list is in the page, and it says how long it is', async ({ admin: page, picture }) => {
  await open(page, '/workers');
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('600');
  await expect.poll(() => entries(page).count()).toBeLessThan(80);
  await expect(page.getByRole('table', { name: 'Workers' })).toHaveAttribute('aria-rowcount', String(WORKERS + 1));
  expect((await names(page)).slice(0, 2)).toEqual(['worker-00000', 'worker-00001']);
  await picture('workers-many');
  const height = await page.evaluate(() => document.documentElement.scrollHeight);

  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
  const last = page.locator('[data-worker="worker-00599"]');
  await expect(last).toBeInViewport();
  await expect(last.locator('tr').first()).toHaveAttribute('aria-rowindex', String(WORKERS + 1));
  expect(await entries(page).count()).toBeLessThan(80);
  // The room of what is not in the page is as high as that would be.
  expect(Math.abs((await page.evaluate(() => document.documentElement.scrollHeight)) - height)).toBeLessThan(100);
  await page.evaluate(() => window.scrollTo(0, 10_000));
  // Every row in the page is where it would be if all were.
  await expect(async () => {
    const [offsets, middle] = await page.evaluate(() => {
      const top = document.querySelector('.table thead')!.parentElement!.getBoundingClientRect().top + 37;
      const rows = [...document.querySelectorAll('.entry')].map((entry) => {
        const { top: at, height } = entry.getBoundingClientRect();
        return at - top - (Number(entry.firstElementChild!.getAttribute('aria-rowindex')) - 2) * height;
      });
      const seen = document.elementFromPoint(700, 450)?.closest('.entry')?.getAttribute('data-worker') ?? '';
      return [rows, seen] as const;
    });
    expect(middle).toMatch(/^worker-002[678]/);
    for (const offset of offsets) expect(Math.abs(offset)).toBeLessThan(2);
  }).toPass({ timeout: 5_000 });
});

test('an open row stays open and measured while the list is scrolled', async ({ admin: page }) => {
  await open(page, '/workers');
  await page.locator('[data-worker="worker-00002"]').getByRole('button', { name: 'Nets of worker-00002' }).click();
  await expect(page.locator('[data-worker="worker-00002"] .entry-more')).toContainText('net-00004');
  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
  await expect(page.locator('[data-worker="worker-00599"]')).toBeInViewport();
  await page.evaluate(() => window.scrollTo(0, 0));
  await expect(page.locator('[data-worker="worker-00002"] .entry-more')).toContainText('net-00004');
});

test('the focus is not lost when its row is scrolled away', async ({ admin: page }) => {
  await open(page, '/workers');
  await expect.poll(() => entries(page).count()).toBeLessThan(80);
  const link = page.getByRole('link', { name: 'worker-00003', exact: true });
  await link.focus();
  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
  await expect(page.locator('[data-worker="worker-00599"]')).toBeInViewport();
  await expect(link).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'worker-00003' })).toBeVisible();
});

test('filter, facets and order are in the address, and Back undoes them', async ({ admin: page, picture }) => {
  await open(page, '/workers');
  await page.getByLabel('Filter workers').fill('worker-0059');
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('10 of 600');
  await expect(page).toHaveURL(/\?q=worker-0059$/);
  await page.locator('.facet summary', { hasText: 'Kind' }).click();
  await expect(page.getByLabel(/persistent/)).toBeVisible();
  await expect(page.locator('.facet-value', { hasText: 'persistent' }).locator('.facet-rows')).toHaveText('3');
  await page.getByLabel(/persistent/).check();
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('3 of 600');
  await picture('workers-narrowed');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Worker', exact: true }).click();
  await expect(page.getByRole('columnheader', { name: 'Worker' })).toHaveAttribute('aria-sort', 'descending');
  expect(await names(page)).toEqual(['worker-00597', 'worker-00594', 'worker-00591']);
  const address = page.url();

  await page.goBack();
  await expect(page.getByRole('columnheader', { name: 'Worker' })).toHaveAttribute('aria-sort', 'ascending');
  await page.goBack();
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('10 of 600');

  await open(page, address);
  expect(await names(page)).toEqual(['worker-00597', 'worker-00594', 'worker-00591']);
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expect(page.getByRole('heading', { name: /Workers/ })).not.toContainText('of');
  await expect(page.getByLabel('Filter workers')).toHaveValue('');
});

test('columns and cards are chosen, and remembered as the default', async ({ admin: page, picture }) => {
  await open(page, '/workers');
  await page.locator('.facet summary', { hasText: 'Columns' }).click();
  await page.getByLabel('Region').uncheck();
  await expect(page.getByRole('columnheader', { name: 'Region' })).toBeHidden();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Cards' }).click();
  await expect(page.locator('.table.cards')).toBeVisible();
  await expect.poll(() => entries(page).count()).toBeLessThan(150);
  await picture('workers-cards');
  await open(page, '/workers');
  await expect(page.locator('.table.cards.no-place')).toBeVisible();
  await page.getByRole('link', { name: 'Table' }).click();
  await expect(page).toHaveURL(/view=table/);
  await page.goBack();
  await expect(page.locator('.table.cards')).toBeVisible();
});

test('keys move, select, open and go back one layer', async ({ admin: page }) => {
  await open(page, '/workers');
  await expect.poll(() => entries(page).count()).toBeLessThan(80);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  const row = page.locator('[data-worker="worker-00001"]');
  await expect(row.locator('tr').first()).toBeFocused();
  await page.keyboard.press('x');
  await expect(page.getByText('1 worker selected')).toBeVisible();
  await page.keyboard.press('o');
  await expect(row.locator('.entry-more')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(row.locator('.entry-more')).toHaveCount(0);
  await expect(page.getByText('1 worker selected')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByText('1 worker selected')).toHaveCount(0);
  await page.keyboard.press('.');
  await expect(row.getByRole('button', { name: 'Delete' })).toBeFocused();
  await page.keyboard.press('Escape');
  // Far beyond what was in the page.
  for (let n = 0; n < 60; n++) await page.keyboard.press('j');
  await expect(page.locator('[data-worker="worker-00061"] > tr').first()).toBeFocused();
  await expect(page.locator('[data-worker="worker-00061"]')).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'worker-00061' })).toBeVisible();
});

test('a range and all that match are picked', async ({ admin: page, picture }) => {
  await open(page, '/workers?q=worker-001');
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('100 of 600');
  await page.getByLabel('Select worker-00101').click();
  await page.getByLabel('Select worker-00105').click({ modifiers: ['Shift'] });
  await expect(page.getByText('5 workers selected')).toBeVisible();
  await picture('workers-picked');
  await page.getByRole('button', { name: 'Select all 100' }).click();
  await expect(page.getByText('100 workers selected')).toBeVisible();
  await expect(page.getByLabel(/Select all 100/)).toBeChecked();
  await page.getByLabel('Filter workers').fill('worker-0010');
  await expect(page.getByText('100 workers selected, 90 of them hidden by the filter')).toBeVisible();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await expect(page.getByText(/selected/)).toHaveCount(0);
});

test('nets have the same powers', async ({ admin: page, picture }) => {
  await open(page, '/nets?load=unloaded&sort=-worker');
  await expect.poll(() => entries(page).count()).toBeLessThan(80);
  expect((await names(page))[0]).toBe('net-00448');
  await page.locator('.facet:not(.sorting) summary', { hasText: 'Worker' }).click();
  await page.getByLabel('Find in Worker').fill('worker-00017');
  await page.getByLabel(/worker-00017/).check();
  await expect(page.getByRole('heading', { name: /Nets/ })).toContainText('2 of 452');
  expect(await names(page)).toEqual(['net-00034', 'net-00035']);
  await page.keyboard.press('Escape');
  await open(page, '/nets');
  await picture('nets-many');
});

test('without JavaScript the first rows read, and pages, order and filter are links and a form', { tag: '@no-js' }, async ({ admin: page, picture }) => {
  await page.goto('/workers');
  await expect(entries(page)).toHaveCount(PAGE);
  await page.getByRole('link', { name: 'Next page' }).click();
  expect((await names(page))[0]).toBe('worker-00200');
  await page.getByRole('link', { name: 'Next page' }).click();
  await expect(page.getByText('page 3 of 3')).toBeVisible();
  await page.getByRole('link', { name: 'Worker', exact: true }).click();
  expect((await names(page))[0]).toBe('worker-00599');
  await page.locator('.facet summary', { hasText: 'Kind' }).click();
  await page.getByLabel(/persistent/).check();
  await page.getByLabel('Filter workers').fill('worker-005');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('33 of 600');
  expect((await names(page))[0]).toBe('worker-00597');
  await picture('no-js-workers-many');
});

test('a page of a large fleet is sent with its first screen, and says what it waits for', async ({ admin: page, picture, consoleGuard }) => {
  const ids = new Map<string, string>();
  for (const row of await (await page.request.get('/api/workers')).json()) ids.set(row.name, row.id);
  // What is sent holds the rows of this page and no others.
  const sent = await (await page.request.get('/workers?page=2')).text();
  expect(sent).toContain('worker-00200');
  expect(sent).not.toContain('worker-00400');

  consoleGuard.allow(/status of 429/);
  // The first question is refused, the second held up.
  const asked: number[] = [];
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/state*', async (route) => {
    asked.push(Date.now());
    if (asked.length === 1) return route.fulfill({ status: 429, headers: { 'Retry-After': '2' }, body: '{}' });
    await held;
    return route.continue();
  });
  await page.goto('/workers');
  // Said by the page once it is the browser's.
  await expect(page.getByText('Loading 400 more…')).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('600');
  await expect(page.getByRole('table', { name: 'Workers' })).toHaveAttribute('aria-rowcount', String(WORKERS + 1));
  await expect(entries(page)).toHaveCount(PAGE);
  await expect(page.getByText('Realtime: connected')).toHaveCount(0);
  await page.locator('.facet summary', { hasText: 'Kind' }).click();
  await expect(page.getByLabel(/persistent/).locator('..')).toContainText('200');
  await page.keyboard.press('Escape');
  await picture('workers-part');
  // What cannot be answered yet is not answered wrongly.
  await page.getByLabel('Filter workers').fill('worker-00599');
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('… of 600');
  await expect(page.getByText('No worker matches the filter.')).toHaveCount(0);
  await expect(page.getByText('Loading 600 more…')).toBeVisible();
  await expect.poll(() => asked.length).toBe(2);
  expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(1_900);
  release();
  await expect(page.getByRole('heading', { name: /Workers/ })).toContainText('1 of 600');
  expect(await names(page)).toEqual(['worker-00599']);
  await expect(page.getByText(/^Loading/)).toHaveCount(0);
  await expect(page.getByText('Realtime: connected')).toBeVisible({ timeout: 30_000 });
});

test('the page of one row of a large fleet has it before the rest is there', async ({ admin: page }) => {
  const [{ id }] = (await (await page.request.get('/api/workers')).json()).filter((row: { name: string }) => row.name === 'worker-00555');
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let asked = false;
  await page.route('**/api/state*', async (route) => {
    asked = true;
    await held;
    return route.continue();
  });
  await page.goto(`/workers/${id}`);
  // From then on the page is the browser's: before, a link is followed by the server.
  await expect.poll(() => asked).toBe(true);
  await expect(page.getByRole('heading', { name: 'worker-00555' })).toBeVisible();
  await page.getByRole('navigation').getByRole('link', { name: 'Nets' }).click();
  await expect(page.getByText('Loading the rest of the fleet…')).toBeVisible();
  release();
  await expect(page.getByRole('heading', { name: /Nets/ })).toContainText('452');
  await expect.poll(() => names(page)).toContain('net-00000');
});
