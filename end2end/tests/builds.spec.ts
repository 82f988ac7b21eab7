// Builds and versions: what is wrong with a file, what a net can do, the path to a deadlock, what a version changed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { findings } from '../axe.ts';
import { expect, test } from '../fixtures.ts';
import { ask, readyWorker } from '../fleet.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const SAMPLES = join(import.meta.dirname, '..', '..', 'src', 'petri', 'samples');
const LOCKS = readFileSync(join(SAMPLES, 'two_locks.pnml'), 'utf8');
/** A place that nobody fills before a transition that never fires, two tokens where one was, and an arc of weight 2. */
const LOCKS_2 = LOCKS.replace(
  /(<place id="lock1">.*?<initialMarking><text>)1(<\/text>)/s,
  '$12$2',
).replace(
  '<transition id="first.take1">',
  '<place id="spare"><name><text>spare</text></name></place>'
    + '<transition id="never"><name><text>never</text></name></transition>'
    + '<arc id="n1" source="spare" target="never"/>'
    + '<transition id="first.take1">',
).replace('<arc id="a5" source="lock2" target="first.take2"/>', '<arc id="a5" source="lock2" target="first.take2"><inscription><text>2</text></inscription></arc>');
const BROKEN = LOCKS.replace('<arc id="a1" source="first.at0"', '<arc id="a1" source="nowhere"');

async function addNet(page: Page, name: string, pnml: string): Promise<string> {
  const [project] = await ask(page, 'get', 'projects');
  const { net } = await ask(page, 'post', 'nets', { name, project_id: project.id, pnml });
  return net.id;
}

async function built(page: Page, net: string, status = 'succeeded'): Promise<void> {
  await expect.poll(async () => (await ask(page, 'get', `nets/${net}`)).build?.status, { timeout: 30_000 }).toBe(status);
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByText('Realtime: connected')).toBeVisible({ timeout: 20_000 });
}

/** Nothing is wider than the page, and axe finds nothing, in both themes. */
async function sound(page: Page, what: string): Promise<void> {
  const before = page.viewportSize()!;
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 844 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, `${what} is too wide at ${width} px`).toBeLessThanOrEqual(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await findings(page), `${what}, ${colorScheme}, ${width} px`).toEqual([]);
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  await page.setViewportSize(before);
}

test('a broken file is shown at its line, can be kept, and cannot be loaded', async ({ admin: page, consoleGuard, picture }) => {
  consoleGuard.allow(/status of (409|422)/);
  const worker = await readyWorker(page, 'first');
  await open(page, '/nets?new');
  await page.getByLabel('or paste it').fill(BROKEN);
  await page.getByLabel('Name', { exact: true }).fill('broken');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const line = String(BROKEN.split('\n').findIndex((line) => line.includes('nowhere')) + 1);
  await expect(page.getByRole('alert')).toContainText(`line ${line}`);
  await expect(page.locator('.excerpt .wrong')).toContainText('nowhere');
  await picture('add-broken');
  await page.getByRole('button', { name: 'Keep it anyway' }).click();
  await expect(page.getByRole('heading', { name: 'broken', exact: true })).toBeVisible();
  await expect(page.locator('.build-failure')).toContainText(`Line ${line}`, { timeout: 30_000 });
  await expect(page.locator('.excerpt .wrong')).toContainText('nowhere');
  await sound(page, 'a broken net');
  await picture('net-unreadable');

  const id = page.url().split('/').pop()!.split('?')[0]!;
  await ask(page, 'post', `nets/${id}/assign`, { worker_id: worker });
  await expect(page.locator('.page-head').getByRole('link', { name: 'first' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Load', exact: true })).toHaveCount(0);
  const refused = await page.request.post(`/api/nets/${id}/load`, { headers: { Origin: new URL(page.url()).origin } });
  expect(refused.status()).toBe(409);
  expect((await refused.json()).detail).toMatch(/broken/);

  await open(page, '/nets');
  await expect(page.locator('[data-net="broken"] .cell-build')).toContainText('failed');
});

test('a deadlock is found, and its path is replayed to the end', async ({ admin: page, picture }) => {
  const id = await addNet(page, 'locks', LOCKS);
  await built(page, id);
  await open(page, '/nets');
  await expect(page.locator('[data-net="locks"] .cell-build')).toContainText('deadlock');
  await page.getByRole('link', { name: 'locks', exact: true }).click();
  await page.getByRole('navigation', { name: 'Net' }).getByRole('link', { name: 'Analysis' }).click();
  const verdicts = page.getByRole('table', { name: 'Verdicts' });
  await expect(verdicts.getByRole('row')).toHaveCount(8);
  await expect(verdicts.getByRole('row', { name: /Can deadlock/ })).toContainText('yes, after 2 firings');
  await expect(page.getByRole('list', { name: 'Sums that stay' }).getByRole('listitem').first()).toContainText('= 1');
  await sound(page, 'the analysis');
  await picture('net-analysis');

  await page.getByRole('button', { name: 'Show the path' }).click();
  const replay = page.getByRole('region', { name: 'Replay' });
  await expect(replay).toContainText('Replaying · not live');
  await expect(replay.getByRole('status')).toContainText('Step 0 of 2');
  await page.keyboard.press('ArrowRight');
  await expect(replay.getByRole('status')).toContainText('Step 1 of 2');
  await expect(page.locator('.transition.fired-last'), 'what fired is marked in the drawing').toHaveCount(1);
  await expect(page.locator('.transition.comes-next')).toHaveCount(1);
  await replay.getByRole('button', { name: 'Next' }).click();
  await expect(replay.getByRole('status')).toContainText('Step 2 of 2');
  await expect(replay.getByRole('status')).toContainText('Nothing is enabled any more');
  await expect(page.locator('[data-place="first.at1"]')).toHaveAttribute('data-tokens', '1');
  await expect(page.locator('[data-place="second.at1"]')).toHaveAttribute('data-tokens', '1');
  await expect(page.locator('.transition.enabled')).toHaveCount(0);
  await sound(page, 'a replay');
  await picture('net-replay');

  // Why nothing goes on, where it stands.
  await page.locator('[data-transition="first.take2"] .transition-shape').click();
  await expect(page.locator('.lacks')).toContainText('needs 1 on lock 2, has 0');
  await page.keyboard.press('Home');
  await expect(replay.getByRole('status')).toContainText('Step 0 of 2');
  await page.keyboard.press('End');
  await expect(replay.getByRole('status')).toContainText('Step 2 of 2');
  await page.keyboard.press('ArrowLeft');
  await expect(replay.getByRole('status')).toContainText('Step 1 of 2');
  await page.keyboard.press('Escape');
  await expect(replay).toHaveCount(0);
  await expect(page.locator('[data-place="first.at0"]')).toHaveAttribute('data-tokens', '1');
});

test('conserved sums are live, and why a transition is not enabled', async ({ admin: page }) => {
  const worker = await readyWorker(page, 'second');
  const id = (await ask(page, 'get', 'nets')).find((net: any) => net.name === 'locks').id;
  await ask(page, 'post', `nets/${id}/assign`, { worker_id: worker });
  await ask(page, 'post', `nets/${id}/load`);
  await open(page, `/nets/${id}?tab=analysis`);
  const sums = page.getByRole('list', { name: 'Sums that stay' }).getByRole('listitem');
  const first = sums.filter({ hasText: 'first idle' }).first();
  await expect(first).toContainText('= 1');
  await first.getByRole('button').click();
  await expect(first.getByRole('button')).toHaveAttribute('aria-pressed', 'true');
  await expect(page.locator('[data-place="first.at0"]')).toHaveClass(/highlighted/);
  await expect(page.locator('[data-place="second.at0"]')).not.toHaveClass(/highlighted/);

  await page.locator('[data-transition="first.release"] .transition-shape').click();
  await expect(page.locator('.lacks')).toContainText('needs 1 on first holds both, has 0');

  await ask(page, 'post', `nets/${id}/step`);
  await expect(page.locator('[data-firings="1"]')).toBeVisible();
  await expect(first).toContainText('= 1');
  await expect(page.locator('.sum.broken')).toHaveCount(0);

  // Only somebody who puts tokens in breaks a sum, and that is said.
  await ask(page, 'post', `nets/${id}/inject`, { place: 'first.at0', tokens: 2 });
  await expect(first).toHaveClass(/broken/);
  await expect(first).toContainText('was 1 at first');
  await expect(page.getByRole('alert').filter({ hasText: 'tokens were injected' })).toBeVisible();
  await ask(page, 'post', `nets/${id}/unload`);
});

test('versions: changed, compared, and an old one loaded', async ({ admin: page, consoleGuard, picture }) => {
  consoleGuard.allow(/status of (409|422)/);
  const id = (await ask(page, 'get', 'nets')).find((net: any) => net.name === 'locks').id;
  await open(page, `/nets/${id}?tab=versions`);
  const versions = page.getByRole('list', { name: 'Versions' }).getByRole('listitem');
  await expect(versions).toHaveCount(1);

  await page.getByText('Change net').click();
  await page.getByLabel('or paste it').fill(BROKEN);
  await page.getByRole('button', { name: 'Make a new version' }).click();
  await expect(page.locator('.excerpt .wrong')).toContainText('nowhere');
  await expect(page.getByRole('button', { name: 'Keep it anyway' })).toBeVisible();
  await page.getByLabel('or paste it').fill(LOCKS_2);
  await page.getByRole('button', { name: 'Make a new version' }).click();
  await expect(versions).toHaveCount(2);
  await expect(page.locator('[data-version="2"]')).toContainText('newest');
  await expect(page.locator('[data-version="2"]')).toContainText('built', { timeout: 30_000 });

  await page.locator('[data-version="2"]').getByRole('link', { name: /Compare/ }).click();
  const differences = page.getByRole('list', { name: 'Differences' }).getByRole('listitem');
  await expect(differences).toHaveText([
    /changed.*Place lock 1 \(lock1\): starts with 2 tokens, was 1/,
    /added.*Place spare with 0 tokens/,
    /added.*Transition never/,
    /changed.*Arc from lock 2 to first takes lock 2: weight 2, was 1/,
    /added.*Arc from spare to never/,
  ]);
  await expect(page.locator('.diff .diff-added.place')).toHaveCount(1);
  await sound(page, 'the versions');
  await picture('net-versions');

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('[data-version="1"]').getByRole('link', { name: 'Download' }).click(),
  ]);
  expect(readFileSync(await download.path(), 'utf8')).toBe(LOCKS);

  await page.getByRole('button', { name: 'Load version 1' }).click();
  await expect(page.locator('[data-version="1"]')).toContainText('loaded');
  await expect(page.locator('[data-version="2"]')).toContainText('newest');
  const inTheWay = page.getByText('Version 1 is loaded. To load another one, unload the net first.');
  await expect(inTheWay).toBeVisible();
  await ask(page, 'post', `nets/${id}/unload`);
  await expect(inTheWay).toHaveCount(0);
  await page.getByRole('button', { name: 'Load version 2' }).click();
  await expect(page.locator('[data-version="2"]')).toContainText('loaded, newest');

  // The drawing is that of what is loaded, and what never fires is a link to it.
  await page.getByRole('navigation', { name: 'Net' }).getByRole('link', { name: 'Analysis' }).click();
  await page.locator('.dead').getByRole('button', { name: 'never' }).click();
  await expect(page.locator('[data-transition="never"]')).toHaveClass(/selected/);
  await expect(page.locator('.inspector')).toContainText('It can never fire');
  await ask(page, 'post', `nets/${id}/unload`);
});

test('nets are filtered by what their build found', async ({ admin: page }) => {
  await open(page, '/nets?build=deadlock');
  // A net that an empty console begins with.
  await expect(page.locator('[data-net="Dining philosophers"]')).toBeVisible();
  await expect(page.locator('[data-net="broken"]')).toHaveCount(0);
});

test('without JavaScript the analysis and the versions read', { tag: '@no-js' }, async ({ admin: page }) => {
  const id = await addNet(page, 'plain locks', LOCKS);
  await built(page, id);
  await page.goto(`/nets/${id}?tab=analysis`);
  await expect(page.getByRole('table', { name: 'Verdicts' }).getByRole('row')).toHaveCount(8);
  await expect(page.getByText('yes, after 2 firings')).toBeVisible();
  await page.getByText('The path to the deadlock').click();
  await expect(page.locator('.path li')).toHaveCount(2);
  await page.getByRole('link', { name: 'Versions' }).click();
  await page.getByText('Change net').click();
  await page.getByLabel('or paste it').fill(LOCKS_2);
  await page.getByRole('button', { name: 'Make a new version' }).click();
  await expect(page.locator('[data-version="2"]')).toBeVisible();
  await page.locator('[data-version="2"]').getByRole('link', { name: /Compare/ }).click();
  await expect(page.getByRole('list', { name: 'Differences' }).getByRole('listitem')).toHaveCount(5);

  // What it was before is a version like any other, and the same file as the first. Not pasted: forms end lines in their own way.
  const headers = { Origin: new URL(page.url()).origin };
  expect((await page.request.put(`/api/nets/${id}/definition`, { data: { pnml: LOCKS }, headers })).ok()).toBe(true);
  await page.goto(`/nets/${id}?tab=versions`);
  await page.locator('[data-version="3"]').getByRole('link', { name: /Compare/ }).click();
  await page.getByLabel('Compared with').selectOption('1');
  await page.getByRole('button', { name: 'Compare', exact: true }).click();
  await expect(page.getByText('Versions 1 and 3 are the same file.')).toBeVisible();
});
