// The demo without a server: the same interface on a fleet that lives in the page.

import { expect, test as base } from '../fixtures.ts';
import { serveFolder } from '../static-site.ts';

const folder = process.env.MUSTER_DEMO;

const test = base.extend({
  baseURL: async ({}, use) => {
    const site = await serveFolder(folder ?? '');
    await use(site.url);
    await site.close();
  },
});

test.skip(!folder, 'the demo was not built: run `cargo xtask e2e` without naming tests, or `cargo xtask test`');

test('a worker is provisioned, and a net is seen running', async ({ page }) => {
  await page.goto('/workers');
  const row = page.locator('[data-worker="workshop-04"]');
  await expect(row).toContainText('pending', { timeout: 20_000 });
  await row.getByRole('button', { name: 'Provision' }).click();
  await expect(row).toContainText('provisioning');
  await expect(row).toContainText('ready', { timeout: 20_000 });

  await page.goto('/nets');
  await page.getByRole('link', { name: 'Producer and consumer 1', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Producer and consumer 1', exact: true })).toBeVisible();
  const firings = page.getByText(/^[\d,\s]+ firings/);
  const before = await firings.innerText();
  await expect(firings).not.toHaveText(before);
  await expect(page.getByText('Realtime: connected')).toBeVisible();
});

test('a link to a page of it leads there, and the theme that was chosen stays', async ({ page }) => {
  await page.goto('/nets?q=dining');
  await expect(page.getByRole('link', { name: /^Dining philosophers/ }).first()).toBeVisible();
  await expect(page.getByRole('link', { name: /^Producer/ })).toHaveCount(0);
  await page.getByText('Theme', { exact: true }).or(page.getByLabel('Theme')).first().click();
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
