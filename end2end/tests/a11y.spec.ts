// axe finds nothing, on any page, in both themes, with and without a fleet.

import type { Page } from '@playwright/test';

import { findings } from '../axe.ts';
import { expect, test } from '../fixtures.ts';
import { ask, createWorker, loadNet, readyWorker } from '../fleet.ts';
import { PULL_REQUEST, append, command, commandPut, host, hostPut, pipeline, pipelinePut } from '../hosts.ts';

test.describe.configure({ mode: 'serial', timeout: 180_000 });

async function check(page: Page, what: string, without: string[] = []): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect(await findings(page, without), `${what}, ${colorScheme}`).toEqual([]);
  }
}

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByText('Realtime: connected')).toBeVisible();
}

async function checkPages(page: Page, paths: string[], without: string[] = []): Promise<void> {
  for (const path of paths) {
    await visit(page, path);
    await check(page, path, without);
  }
}

test('before anybody is signed in', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 404/);
  for (const path of ['/sign-in', await server.setupLink(), '/setup/wrong']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await check(page, path);
  }
});

test('an empty console', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 404/);
  await checkPages(page, ['/', '/workers', '/nets', '/workers?new', '/nets?new']);
  await page.goto('/workers/00000000-0000-7000-8000-000000000000');
  await check(page, 'no such worker');
});

test('a busy fleet, and what opens over it', async ({ admin: page }) => {
  const worker = await readyWorker(page, 'eu-1', 'persistent');
  await createWorker(page, 'x'.repeat(80));
  const net = await loadNet(page, worker, 'Prod');
  await ask(page, 'post', `nets/${net}/run`, { rate: 20 });
  await checkPages(page, ['/', '/workers', '/nets', `/workers/${worker}`]);
  // Tokens that move while axe reads would be called by an older number than the one they show.
  await ask(page, 'post', `nets/${net}/stop`);
  // A number drawn in a place comes before the name below it, and is read out after it.
  await checkPages(page, [`/nets/${net}`], ['label-content-name-mismatch']);

  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await check(page, 'the map of keys');
  await page.keyboard.press('Escape');

  await page.keyboard.press('Control+k');
  await page.keyboard.type('eu');
  await expect(page.getByRole('listbox').getByRole('option', { name: /^eu-1/ }).first()).toBeVisible();
  await check(page, 'the palette');
  await page.keyboard.press('Escape');

  await visit(page, `/workers/${worker}`);
  await page.getByRole('button', { name: 'Destroy', exact: true }).click();
  await expect(page.getByRole('dialog', { name: /Destroy eu-1/ })).toBeVisible();
  await check(page, 'a question');
  await page.keyboard.press('Escape');
});

test('broken and silent', async ({ admin: page, server, context, consoleGuard }) => {
  await visit(page, '/');
  for (const pid of await server.workerPids()) process.kill(pid, 'SIGKILL');
  await expect(page.getByRole('heading', { name: '1 needs attention' })).toBeVisible({ timeout: 10_000 });
  await check(page, 'trouble on the overview');
  await page.locator('summary[aria-label^="Messages"]').click();
  await check(page, 'the messages');
  consoleGuard.allowLostConnections();
  await context.setOffline(true);
  await expect(page.getByText('Realtime: disconnected')).toBeVisible();
  // What is old is dimmed on purpose, and said to be old in full contrast below it.
  await check(page, 'without the server', ['color-contrast']);
  await context.setOffline(false);
});

test('the design kit', async ({ admin: page }) => {
  await page.goto('/kit');
  await expect(page.getByRole('heading', { name: 'Design kit' })).toBeVisible();
  await check(page, '/kit');
});

test('hosts, pipelines and their logs', async ({ admin: page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 404/);
  const [one, away] = [host('hsb1'), host('hsb2', { online: false, theme_color: '#f7768e' })];
  const [running, failed] = [command(one, 'switch', 'running'), command(away, 'pull', 'failed', { reason: 'It ended with exit code 1', exit_code: 1 })];
  one.pending_command = running.id;
  const deploy = pipeline([one, away], [[{ state: 'active', command: running.id }, { state: 'waiting' }], [{ state: 'ended', command: failed.id, status: 'failed' }, { state: 'skipped' }]]);
  await visit(page, '/hosts');
  await append(server, [hostPut(one), hostPut(away), commandPut(running), commandPut(failed), pipelinePut(deploy), PULL_REQUEST]);
  await expect(page.locator('[data-host]')).toHaveCount(2);
  await checkPages(page, ['/hosts', '/hosts?view=cards', '/hosts?new', `/hosts/${one.id}`, '/pipelines', `/pipelines/${deploy.id}`, '/']);
  await visit(page, '/hosts');
  await page.locator('[data-host="hsb1"] .command-now').click();
  await expect(page.getByRole('tab', { name: /switch@hsb1/ })).toBeVisible();
  await check(page, 'the log panel');
  await page.getByLabel(/Select all 2/).click();
  await page.locator('.selection summary').click();
  await page.getByRole('button', { name: 'Merge & Deploy PR #42…' }).click();
  await expect(page.getByRole('dialog', { name: /Merge & Deploy/ })).toBeVisible();
  await check(page, 'merging and deploying');
});
