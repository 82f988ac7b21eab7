// One action on many rows: what would be refused is said before, what became of each afterwards.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';

test.describe.configure({ mode: 'serial', timeout: 240_000 });

const ALL = 50;
const EPHEMERAL = 7;

function workers(page: Page): Promise<any[]> {
  return page.request.get('/api/workers').then((answer) => answer.json());
}

async function createWorkers(page: Page): Promise<void> {
  const failed = await page.evaluate(
    async ([all, ephemeral]) => {
      const [cluster] = await (await fetch('/api/clusters')).json();
      const create = async (n: number) => {
        const category = n < ephemeral! ? 'ephemeral' : 'persistent';
        const body = JSON.stringify({ name: `bulk-${String(n).padStart(2, '0')}`, cluster_id: cluster.id, category, cpus: 1, memory_mb: 64 });
        const answer = await fetch('/api/workers', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
        return answer.ok ? [] : [await answer.text()];
      };
      return (await Promise.all(Array.from({ length: all! }, (_, n) => create(n)))).flat();
    },
    [ALL, EPHEMERAL],
  );
  expect(failed).toEqual([]);
}

test('stopping 50 workers, 7 of them not stoppable, says so before and after', async ({ admin: page, picture }) => {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await createWorkers(page);
  await expect(page.locator('.entry')).toHaveCount(ALL);

  await page.getByLabel('Select all 50 that match').click();
  await page.getByRole('button', { name: 'Provision…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('All 50 workers permit it now.');
  await dialog.getByRole('button', { name: 'Provision 50 workers' }).click();
  await expect(dialog).toContainText('Provision: 50 of 50 workers done.', { timeout: 180_000 });
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect.poll(async () => (await workers(page)).filter((row) => row.status === 'ready').length, { timeout: 60_000 }).toBe(ALL);

  await page.getByRole('button', { name: 'Stop…' }).click();
  await expect(dialog.getByRole('heading', { name: 'Stop 50 workers?' })).toBeVisible();
  await expect(dialog).toContainText('43 of them permit it now; 7 workers will be left as they are.');
  await expect(dialog).toContainText('Cannot stop bulk-03: it is ephemeral (ready), and an ephemeral worker lives once.');
  expect((await workers(page)).every((row) => row.status === 'ready'), 'nothing is sent before the operator has seen it').toBe(true);
  await picture('bulk-plan');
  await dialog.getByRole('button', { name: 'Stop 43 workers' }).click();
  await expect(dialog).toContainText('Stop: 43 of 50 workers done, 7 refused.', { timeout: 120_000 });
  await expect(dialog.locator('[data-bulk="refused"] li')).toHaveCount(EPHEMERAL);
  await picture('bulk-over');
  await expect.poll(async () => (await workers(page)).filter((row) => row.status === 'stopped').length).toBe(ALL - EPHEMERAL);
});

test('what fails is named, and can be tried again', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/503/);
  await page.goto('/workers?kind=persistent&q=bulk-1');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.getByLabel(/Select all 10/).click();
  await page.getByRole('button', { name: 'Start…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('All 10 workers permit it now.');
  // Three requests are answered by something between the browser and the console.
  let cut = 0;
  await page.route('**/do/worker', async (route) => {
    if (cut++ < 3) await route.fulfill({ status: 503, contentType: 'text/plain', body: 'Unavailable|{}' });
    else await route.continue();
  });
  await dialog.getByRole('button', { name: 'Start 10 workers' }).click();
  await expect(dialog).toContainText('Start: 7 of 10 workers done, 3 failed.', { timeout: 60_000 });
  await dialog.getByRole('button', { name: 'Try 3 workers again' }).click();
  await expect(dialog).toContainText('All 3 workers permit it now.');
  await dialog.getByRole('button', { name: 'Start 3 workers' }).click();
  await expect(dialog).toContainText('Start: 3 of 3 workers done.', { timeout: 60_000 });
});
