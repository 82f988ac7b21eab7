// A net of 15,000 places and transitions: opened, searched, watched while it runs. No task of the main thread may take longer than the
// limit once the page has loaded: with MUSTER_MEASURE=1, against the frontend that is deployed.

import { execFileSync } from 'node:child_process';

import { expect, test } from '../fixtures.ts';
import { ask, readyWorker } from '../fleet.ts';
import { type Busy, busyDuring, told } from '../tasks.ts';

const MEASURE = process.env.MUSTER_MEASURE === '1';
/** Milliseconds of CPU time that one task of the main thread may take. */
const LIMIT = 50;
/** Stations in a row, of three places and two transitions each: its cards go round for ever. */
const SIZE = 3_000;

test.describe.configure({ timeout: 300_000 });
// Playwright's own pictures of the page are tasks of its main thread too.
if (MEASURE) test.use({ trace: 'off', screenshot: 'off' });

test('a very large net is opened, searched and watched', async ({ admin: page, browser, picture }) => {
  test.skip(!MEASURE, 'MUSTER_MEASURE=1 runs it');
  const pnml = execFileSync(process.env.MUSTER_BIN!, ['net', 'generate', 'kanban', String(SIZE)], { maxBuffer: 1 << 28, encoding: 'utf8' });
  const [project] = await ask(page, 'get', 'projects');
  const { net } = await ask(page, 'post', 'nets', { name: 'large', project_id: project.id, pnml });
  expect(net.size.places + net.size.transitions).toBeGreaterThanOrEqual(15_000);
  const worker = await readyWorker(page, 'first');
  await ask(page, 'post', `nets/${net.id}/assign`, { worker_id: worker });
  await ask(page, 'post', `nets/${net.id}/load`);
  await expect.poll(async () => (await ask(page, 'get', `nets/${net.id}`)).build?.status, { timeout: 120_000 }).toBe('succeeded');

  await page.goto(`/nets/${net.id}`);
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await expect(page.locator('canvas.map')).toBeVisible({ timeout: 60_000 });
  const measured: [string, Busy][] = [];
  const measure = async (what: string, how: () => Promise<void>) => {
    const busy = await busyDuring(browser, page, how);
    told(what, busy);
    measured.push([what, busy]);
  };

  const find = page.getByRole('searchbox', { name: 'Find a place or transition' });
  await measure('searching', async () => {
    await find.pressSequentially('cards17');
    await find.press('Enter');
    await expect(page.getByRole('button', { name: 'Show the whole net' })).toBeVisible();
  });
  await measure('moving about', async () => {
    await page.locator('canvas.map').focus();
    for (const key of ['+', '+', 'ArrowRight', 'ArrowDown', 'ArrowLeft', '-', '-', '-', '0', '+', '+', '0']) {
      await page.keyboard.press(key);
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    }
  });
  await picture('net-large');
  await measure('the analysis', async () => {
    await page.getByRole('navigation', { name: 'Net' }).getByRole('link', { name: 'Analysis' }).click();
    await expect(page.getByRole('table', { name: 'Verdicts' })).toBeVisible({ timeout: 60_000 });
    await page.getByRole('list', { name: 'Sums that stay' }).getByRole('button').first().click();
    await page.getByRole('button', { name: /^Show 50/ }).first().click();
    await expect(page.getByRole('list', { name: 'Sums that stay' }).getByRole('listitem')).toHaveCount(60);
  });
  await picture('net-large-analysis');
  await ask(page, 'post', `nets/${net.id}/run`, { rate: 2_000 });
  await measure('watching, with its sums', async () => {
    await expect.poll(async () => Number(await page.locator('[data-firings]').getAttribute('data-firings')), { timeout: 60_000 }).toBeGreaterThan(2_000);
    await page.getByRole('navigation', { name: 'Net' }).getByRole('link', { name: 'Net', exact: true }).click();
    const from = Number(await page.locator('[data-firings]').getAttribute('data-firings'));
    await expect.poll(async () => Number(await page.locator('[data-firings]').getAttribute('data-firings')), { timeout: 60_000 }).toBeGreaterThan(from + 4_000);
  });
  await expect(page.locator('.sum.broken')).toHaveCount(0);
  if (MEASURE) {
    // All of them are told, whichever is too slow.
    for (const [what, busy] of measured) expect.soft(busy.longest, what).toBeLessThan(LIMIT);
  }
});
