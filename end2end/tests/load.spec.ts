// A page under load: many rows, many changes a second. The short form checks that every row is right at the end; with
// MUSTER_MEASURE=1 (against a release build) the times are held against the limits too.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { startStorm } from '../storm.ts';
import { busyDuring, heapAfterCollection, told } from '../tasks.ts';

const MEASURE = process.env.MUSTER_MEASURE === '1';
/** Milliseconds of CPU time that one task of the main thread may take. */
const LIMIT = 50;

test.describe.configure({ timeout: 600_000 });
// Playwright's own pictures of the page are tasks of its main thread too.
if (MEASURE) test.use({ trace: 'off', screenshot: 'off' });

/** What the page shows of every row, read by scrolling through the whole list. */
async function shown(page: Page): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    const rows: Record<string, string> = {};
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    // Rows come as fast as there is time for: until they are there, their room is.
    const drawn = () =>
      [...document.querySelectorAll('.room:not(.none)')].every((room) => {
        const { top, bottom } = room.getBoundingClientRect();
        return bottom <= 0 || top >= window.innerHeight || top === bottom;
      });
    window.scrollTo(0, 0);
    for (;;) {
      await frame();
      for (let frames = 0; frames < 300 && !drawn(); frames++) await frame();
      for (const entry of document.querySelectorAll<HTMLElement>('.entry')) {
        rows[entry.dataset.worker!] = entry.querySelector('.state-word')!.textContent!;
      }
      const before = window.scrollY;
      window.scrollBy(0, window.innerHeight * 0.8);
      if (window.scrollY === before) return rows;
    }
  });
}

async function expectEveryRowRight(page: Page): Promise<void> {
  const workers: any[] = await (await page.request.get('/api/workers')).json();
  const word = (row: any) => (row.status === 'error' ? `error · ${row.status_detail.replace('_', ' ')}` : row.status);
  const right = Object.fromEntries(workers.map((row) => [row.name, word(row)]));
  expect(await shown(page)).toEqual(right);
}

test('a storm of changes leaves every row right', async ({ admin: page, server, browser }) => {
  const storm = MEASURE ? { workers: 5_000, nets: 0, rate: 1_000, seconds: 80 } : { workers: 1_000, nets: 0, rate: 300, seconds: 5 };
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  const { over, reached } = await startStorm(server, storm);
  await expect(page.getByRole('table', { name: 'Workers' })).toHaveAttribute('aria-rowcount', String(storm.workers + 1), { timeout: 60_000 });
  // Every row was changed a few times, and what is kept for a while (the last frames, the last events) is there.
  if (MEASURE) await reached(20_000);
  const before = await heapAfterCollection(page);
  let changed = 0;
  const busy = await busyDuring(browser, page, async () => {
    changed = await over;
  });
  // Before the list is scrolled through: each row that is seen for the first time costs something, once.
  const after = await heapAfterCollection(page);
  // The page may be a moment behind the last change; then nothing may be missing or wrong.
  await expect(() => expectEveryRowRight(page)).toPass({ timeout: 60_000 });
  told('storm', { ...busy, changed, 'js before MB': before.js / 1e6, 'js after MB': after.js / 1e6, 'wasm before MB': before.wasm / 1e6, 'wasm after MB': after.wasm / 1e6 });
  expect(changed).toBeGreaterThan(storm.rate * storm.seconds * 0.9);
  if (MEASURE) {
    expect(busy.longest).toBeLessThan(LIMIT);
    expect(after.js + after.wasm).toBeLessThan((before.js + before.wasm) * 1.2 + 5e6);
  }
});

test('filtering, sorting and scrolling a very long list', async ({ admin: page, server, browser }) => {
  test.skip(!MEASURE, 'MUSTER_MEASURE=1 runs it');
  const { over } = await startStorm(server, { workers: 10_000, nets: 20_000, rate: 0, seconds: 0 });
  await over;
  told('made', { workers: 10_000, nets: 20_000 });
  for (const [path, filter, first, second] of [
    ['/workers', 'Filter workers', 'Since', 'Status'],
    ['/nets', 'Filter nets', 'Worker', 'Size'],
  ] as const) {
    await page.goto(path);
    await expect(page.getByText('Realtime: connected')).toBeVisible({ timeout: 60_000 });
    await expect.poll(() => page.locator('.entry').count(), { timeout: 60_000 }).toBeLessThan(80);
    // From the key to the next frame that shows the answer.
    const answers: number[] = [];
    for (const key of ['1', '2', '3', 'Backspace', 'Backspace', 'Backspace']) {
      await page.getByLabel(filter).focus();
      // Installed before the key is pressed, or it would be missed.
      await page.evaluate(() => {
        const count = () => document.querySelector('h1 .quiet-text')?.textContent;
        const before = count();
        (window as any).answer = new Promise<number>((resolve) => {
          addEventListener(
            'keydown',
            () => {
              const start = performance.now();
              const look = () => {
                const passed = performance.now() - start;
                if (count() !== before || passed > 5_000) resolve(passed);
                else requestAnimationFrame(look);
              };
              requestAnimationFrame(look);
            },
            { once: true, capture: true },
          );
        });
      });
      await page.keyboard.press(key);
      answers.push(await page.evaluate(() => (window as any).answer as Promise<number>));
    }
    told(`${path}: a keystroke answers after`, Object.fromEntries(answers.map((answer, n) => [`key ${n + 1}`, answer])));
    const sort = await busyDuring(browser, page, async () => {
      for (const heading of [first, first, second, second]) {
        await page.getByRole('columnheader', { name: heading, exact: true }).getByRole('link').click();
        await expect(page.getByRole('columnheader', { name: heading, exact: true })).toHaveAttribute('aria-sort', /scending/);
      }
    });
    told(`${path}: sorting`, { ...sort });
    const scroll = await busyDuring(browser, page, async () => {
      await page.mouse.move(700, 600);
      for (let n = 0; n < 40; n++) {
        await page.mouse.wheel(0, n < 20 ? 900 : -900);
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      }
      for (const part of [0.2, 0.9, 0.5, 1, 0]) {
        await page.evaluate((part) => window.scrollTo(0, document.documentElement.scrollHeight * part), part);
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
      }
    });
    told(`${path}: scrolling`, { ...scroll });
    // All of them are measured, whichever is too slow.
    expect.soft(Math.max(...answers), `${path}: a keystroke`).toBeLessThan(100);
    expect.soft(sort.longest, `${path}: sorting`).toBeLessThan(LIMIT);
    expect.soft(scroll.longest, `${path}: scrolling`).toBeLessThan(LIMIT);
  }
});
