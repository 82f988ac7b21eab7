// Pipelines: the matrix of hosts and stages, live, also for a thousand hosts.

import { expect, test } from '../fixtures.ts';
import { append, command, commandPut, host, hostPut, pipeline, pipelinePut } from '../hosts.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const hosts = ['hsb0', 'hsb1', 'hsb2', 'hsb3'].map((name) => host(name));
const pulled = command(hosts[0], 'pull', 'succeeded');
const switching = command(hosts[0], 'switch', 'running');
hosts[0].pending_command = switching.id;
const deploy = pipeline(hosts, [
  [{ state: 'ended', command: pulled.id, status: 'succeeded' }, { state: 'active', command: switching.id }],
]);

test('a pipeline is a matrix that moves', async ({ admin: page, server, picture }) => {
  await page.goto('/pipelines');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await append(server, [...hosts.map(hostPut), commandPut(pulled), commandPut(switching), pipelinePut(deploy)]);
  await page.getByRole('link', { name: deploy.title }).click();
  await expect(page.getByRole('heading', { name: deploy.title })).toBeVisible();
  const cells = (name: string) => page.locator(`[data-lane="${name}"] [data-state]`).evaluateAll((all) => all.map((it) => it.getAttribute('data-state')));
  expect(await cells('hsb0')).toEqual(['succeeded', 'running']);
  expect(await cells('hsb1')).toEqual(['waiting', 'waiting']);
  await expect(page.locator('[data-lane="hsb0"] .canary')).toBeVisible();
  await expect(page.getByText('0 of 4 hosts done, 1 under way')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await picture('pipeline');

  // The canary fails: the others are never begun.
  const failed = { ...switching, status: 'failed', exit_code: 1, finished_at: Date.now(), reason: 'It ended with exit code 1', revision: 2 };
  const skipped = [{ state: 'skipped' }, { state: 'skipped' }];
  const over = {
    ...deploy,
    status: 'failed',
    reason: 'A canary failed',
    finished_at: Date.now(),
    revision: 2,
    lanes: deploy.lanes.map((lane: any, n: number) => ({
      ...lane,
      cells: n === 0 ? [lane.cells[0], { state: 'ended', command: switching.id, status: 'failed' }] : skipped,
    })),
  };
  const { pending_command: _, ...free } = hosts[0];
  await append(server, [commandPut(failed), hostPut({ ...free, revision: 2, state_revision: 2 }), pipelinePut(over)]);
  await expect(page.getByText('0 of 4 hosts done, 1 failed, 3 skipped')).toBeVisible();
  expect(await cells('hsb0')).toEqual(['succeeded', 'failed']);
  expect(await cells('hsb3')).toEqual(['skipped', 'skipped']);
  await expect(page.getByText('A canary failed')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveCount(0);
});

test('of a thousand hosts only those that are seen are in the page', async ({ admin: page, server }) => {
  const many = Array.from({ length: 1_000 }, (_, n) => host(`many-${String(n).padStart(4, '0')}`));
  const wide = pipeline(many, [], { title: 'A thousand' });
  await append(server, [...many.map(hostPut), pipelinePut(wide)]);
  // It was written beside the server, which reads it a moment later.
  await expect.poll(async () => (await page.request.get(`/api/pipelines/${wide.id}`)).status()).toBe(200);
  await page.goto(`/pipelines/${wide.id}`);
  await expect(page.locator('[data-lane="many-0000"]')).toBeVisible({ timeout: 15_000 });
  await expect.poll(() => page.locator('[data-lane]').count()).toBeLessThan(150);
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await expect(page.locator('[data-lane="many-0999"]')).toBeVisible();
  expect(await page.locator('[data-lane]').count()).toBeLessThan(150);
});
