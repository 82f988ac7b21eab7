// The same pages without JavaScript: they read, and their forms work.

import { join } from 'node:path';

import { expect, test } from '../fixtures.ts';

const NET = join(import.meta.dirname, '..', '..', 'src', 'petri', 'samples', 'dining_philosophers.pnml');

test('sign in, create and provision a worker, add a net, assign and load it', { tag: '@no-js' }, async ({ admin: page, picture }) => {
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  await expect(page.getByText('Cluster connected')).toBeVisible();

  await page.goto('/workers');
  await page.getByText('Create worker').click();
  await page.getByLabel('Name').fill('plain');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const row = page.locator('[data-worker="plain"]');
  await expect(row).toContainText('pending');
  await row.getByRole('button', { name: 'Provision' }).click();
  await expect(row).toContainText('ready');
  await expect(page.getByRole('status').filter({ hasText: 'plain' }), 'what was done is said once').toBeVisible();
  await page.reload();
  await expect(page.getByRole('status').filter({ hasText: 'plain' })).toHaveCount(0);
  await picture('no-js-workers');

  await page.goto('/nets');
  await page.getByText('Add net').first().click();
  await page.getByLabel('Name').fill('plain net');
  await page.getByLabel(/PNML file/i).setInputFiles(NET);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'plain net' })).toBeVisible();
  await expect(page.locator('svg [data-tokens]').first()).toBeVisible();
  await page.getByRole('button', { name: 'Assign', exact: true }).click();
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  await expect(page.locator('summary', { hasText: 'Unload…' })).toBeVisible();

  // The marking in the page is the worker's, as of the page.
  await page.getByTitle(/Firings per second/).fill('0');
  // A click does not wait for the page that a form leads to, and a reload would call the form off.
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Run', exact: true }).click()]);
  await expect
    .poll(async () => {
      await page.reload();
      return Number(await page.locator('[data-firings]').getAttribute('data-firings'));
    })
    .toBeGreaterThan(0);
  await expect(page.getByText('As it was when this page was made.')).toBeVisible();
});

test('a mistake comes back in words', { tag: '@no-js' }, async ({ admin: page }) => {
  await page.goto('/nets');
  await page.getByText('Add net').first().click();
  await page.getByLabel('or paste it').fill('this is no net');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('line 1');
});
