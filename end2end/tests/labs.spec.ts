// Labs: made on a worker, seen to run, plotted, stopped, wiped, deleted; lost with the process that had them; asked for by hand.

import { execFileSync } from 'node:child_process';

import type { Locator, Page } from '@playwright/test';

import { findings } from '../axe.ts';
import { expect, test } from '../fixtures.ts';
import { ask, readyWorker } from '../fleet.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

/** More runs than can be made while a test looks on. */
const ENDLESS = { kind: 'monte_carlo', runs: 10_000_000, firings: 100_000, seed: 1 };

let worker: string;

async function netNamed(page: Page, begins: string): Promise<any> {
  return (await ask(page, 'get', 'nets')).find((net: any) => net.name.startsWith(begins));
}

async function makeLab(page: Page, name: string, plan: unknown, start = true): Promise<any> {
  const net = await netNamed(page, 'Prod');
  const { lab } = await ask(page, 'post', 'labs', { net_id: net.id, worker_id: worker, name, plan, start });
  return lab;
}

function line(page: Page, name: string): Locator {
  return page.locator(`.lab-line[data-lab="${name}"]`);
}

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByText('Realtime: connected')).toBeVisible({ timeout: 20_000 });
}

test('a Monte Carlo lab is made on a worker, runs, and what it found is plotted', async ({ admin: page, picture }) => {
  worker = await readyWorker(page, 'eu-1', 'persistent');
  await visit(page, `/workers/${worker}`);
  await page.getByRole('navigation', { name: 'Worker', exact: true }).getByRole('link', { name: /^Labs/ }).click();
  await page.getByText('New lab', { exact: true }).click();
  await page.getByLabel('Net', { exact: true }).selectOption({ label: (await netNamed(page, 'Prod')).name });
  await page.getByLabel('Name', { exact: true }).fill('first');

  // What is wrong is said at its field, and nothing is sent.
  await page.getByLabel('Runs', { exact: true }).fill('none');
  await page.getByRole('button', { name: 'Make it' }).click();
  await expect(page.locator('#lab-runs-note')).toContainText('whole number');
  await expect(page.getByLabel('Runs', { exact: true })).toBeFocused();
  await page.getByLabel('Runs', { exact: true }).fill('200');
  await page.getByLabel('Firings of a run').fill('1000');
  await picture('labs-new');
  await page.getByRole('button', { name: 'Make it' }).click();

  await expect(page.getByRole('heading', { level: 1, name: 'first' })).toBeVisible();
  await expect(page.locator('.lab-head')).toContainText('done', { timeout: 30_000 });
  await expect(page.locator('.lab-page-progress')).toContainText('200 of 200 runs');
  const throughput = page.getByRole('table', { name: 'Throughput' });
  await expect(throughput.locator('.plot-row .plot-mean').first()).toBeVisible({ timeout: 15_000 });
  const shares = await throughput.locator('.plot-row').evaluateAll((rows) => rows.map((row) => Number(row.children[2]!.textContent)));
  expect(shares.reduce((sum, share) => sum + share, 0), 'every firing is one of these').toBeCloseTo(1, 2);
  await expect(page.getByRole('table', { name: 'Tokens' }).locator('.plot-row').first()).toBeVisible();
  // Exact numbers on focus.
  await throughput.locator('.plot-row').first().focus();
  await expect(page.locator('.plot > .plot-said').first()).toContainText(/95 % interval .* of 200 runs/);
  await page.keyboard.press('ArrowDown');
  await expect(throughput.locator('.plot-row').nth(1)).toBeFocused();
  await expect(page.getByRole('heading', { name: /How 200 runs ended/ })).toBeVisible();
  await picture('lab-done');

  await visit(page, '/workers');
  await expect(page.locator('[data-worker="eu-1"] .cell-labs')).toContainText('0 of 1');
});

test('a second browser sees it live; stop, wipe, delete', async ({ admin: page, browser, server, picture }) => {
  const lab = await makeLab(page, 'endless', ENDLESS);
  const net = await netNamed(page, 'Prod');
  await visit(page, `/nets/${net.id}?tab=labs`);
  const other = await browser.newPage({ baseURL: server.url });
  await other.context().addCookies(await page.context().cookies());
  await visit(other, `/labs/${lab.id}`);
  await expect(line(page, 'endless')).toContainText('running');
  await expect(other.locator('.lab-head')).toContainText('running');
  const progress = async () => (await other.locator('.lab-page-progress .lab-progress-words').textContent())!;
  const first = await progress();
  await expect.poll(progress, { timeout: 15_000 }).not.toBe(first);
  // The plots are fetched anew while it runs.
  await expect(other.getByRole('table', { name: 'Throughput' }).locator('.plot-mean').first()).toBeVisible({ timeout: 30_000 });
  await picture('labs-net');

  await line(page, 'endless').getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(line(page, 'endless')).toContainText('idle');
  await expect(other.locator('.lab-head')).toContainText('idle');
  await line(page, 'endless').getByRole('button', { name: 'Wipe', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Wipe', exact: true }).click();
  await expect(line(page, 'endless')).toContainText(/\D0 of/);
  await line(page, 'endless').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(line(page, 'endless')).toHaveCount(0);
  await expect(other.getByRole('heading', { name: 'This lab does not exist' })).toBeVisible();
  await other.context().close();
});

test('labs are asked for by hand once in ten seconds, and the button says how long that takes', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 429/);
  await visit(page, `/workers/${worker}?tab=labs`);
  await expect(page.getByRole('navigation', { name: 'Worker', exact: true }).locator('[aria-current]')).toHaveText(/^Labs/);
  const button = page.locator('.labs-refresh button');
  // Another test may have asked just now.
  await expect(button).toHaveText('Refresh');
  await button.click();
  await expect(button).toHaveText(/^Again in ([1-9]|10) s$/);
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  const answer = await page.request.post(`/api/workers/${worker}/labs/refresh`, { headers: { Origin: new URL(page.url()).origin } });
  expect(answer.status()).toBe(429);
  expect(Number(answer.headers()['retry-after'])).toBeGreaterThan(0);
  await expect(button).toHaveText('Refresh', { timeout: 15_000 });
  await expect(page.locator('.labs-synced').first()).toContainText(/synced \d+ s ago/);
});

test('an exploration ends in verdicts', async ({ admin: page, picture }) => {
  const lab = await makeLab(page, 'all of it', { kind: 'explore', seconds: 20, memory_mb: 64 });
  await visit(page, `/labs/${lab.id}`);
  await expect(page.locator('.lab-head')).toContainText('done', { timeout: 30_000 });
  await expect(page.getByRole('table', { name: 'Verdicts' }).getByRole('row')).toHaveCount(8, { timeout: 15_000 });
  await picture('lab-explored');
});

test('every figure of a plot is seen, on a phone too, and what is more than fifty rows comes with a button', async ({ admin: page, picture }) => {
  const generated = (size: number) => execFileSync(process.env.MUSTER_BIN!, ['net', 'generate', 'kanban', String(size)], { encoding: 'utf8' });
  const [project] = await ask(page, 'get', 'projects');
  const show = async (name: string, size: number) => {
    const { net } = await ask(page, 'post', 'nets', { name, project_id: project.id, pnml: generated(size) });
    const plan = { kind: 'monte_carlo', runs: 40, firings: 2_000, seed: 1 };
    const { lab } = await ask(page, 'post', 'labs', { net_id: net.id, worker_id: worker, name, plan, start: true });
    await visit(page, `/labs/${lab.id}`);
    await expect(page.locator('.lab-head')).toContainText('done', { timeout: 30_000 });
    const tokens = page.getByRole('table', { name: 'Tokens' });
    await expect(tokens.locator('.plot-mean').first()).toBeVisible({ timeout: 15_000 });
    return tokens;
  };
  // Cells whose words are cut off, by what they say.
  const cut = (table: Locator) =>
    table.locator('th, td:not(.plot-cell)').evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent));

  const few = await show('a row of seven', 7);
  await expect(few.locator('.plot-row')).toHaveCount(21);
  await picture('lab-plots');
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 844 });
    expect(await cut(few), `at ${width} px`).toEqual([]);
    await expect(few.locator('.plot-range').nth(1)).toBeVisible();
    await few.locator('.plot-row').last().scrollIntoViewIfNeeded();
    await expect(few.locator('.plot-row').last()).toBeInViewport();
    const said = page.locator('.plot > .plot-said').last();
    expect(await said.evaluate((said) => said.scrollWidth - said.clientWidth)).toBeLessThanOrEqual(0);
  }

  const many = await show('a row of fifty', 50);
  await expect(many.locator('.plot-row')).toHaveCount(50);
  const more = page.locator('.plot', { has: many }).getByRole('button', { name: /^Show 100 more$/ });
  await more.focus();
  await page.keyboard.press('Enter');
  await expect(many.locator('.plot-row')).toHaveCount(150);
  await expect(more).toHaveCount(0);
});

test('an administrator says how often labs are synced', async ({ admin: page }) => {
  const [cluster] = await ask(page, 'get', 'clusters');
  await visit(page, `/clusters/${cluster.id}`);
  const form = page.locator('.lab-sync');
  await expect(form.locator('input[name="minutes"]')).toHaveValue('30');
  await form.locator('input[name="minutes"]').fill('15');
  await form.getByRole('button', { name: 'Set' }).click();
  await expect.poll(async () => (await ask(page, 'get', `clusters/${cluster.id}`)).lab_sync_minutes).toBe(15);
});

test('the rules of accessibility, in both themes', async ({ admin: page }) => {
  const net = await netNamed(page, 'Prod');
  const [lab] = (await ask(page, 'get', 'labs')).filter((lab: any) => lab.name === 'first');
  for (const path of [`/workers/${worker}?tab=labs`, `/workers/${worker}?tab=labs&new`, `/nets/${net.id}?tab=labs`, `/labs/${lab.id}`]) {
    await visit(page, path);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await findings(page), `${path}, ${colorScheme}`).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: null });
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 844 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide, `${path} is too wide at ${width} px`).toBeLessThanOrEqual(0);
    }
  }
});

test('a worker that is killed takes its labs with it: lost, and the page says what to do', async ({ admin: page, server, picture }) => {
  await makeLab(page, 'at work', ENDLESS);
  await visit(page, `/workers/${worker}?tab=labs`);
  await expect(line(page, 'at work')).toContainText('running');
  for (const pid of await server.workerPids()) process.kill(pid, 'SIGKILL');
  await expect(line(page, 'at work')).toContainText('lost', { timeout: 20_000 });
  await expect(line(page, 'at work')).toContainText(/start it: it is made anew/i);
  await line(page, 'at work').getByRole('link', { name: 'at work' }).click();
  await expect(page.locator('.notice').first()).toContainText(/start it: it is made anew/i);
  await picture('lab-lost');
});
