// The command palette, by keyboard alone.

import type { Locator, Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { ask, createWorker, loadNet, readyWorker } from '../fleet.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

/** What the palette offers; forms have options too. */
function choices(page: Page, what?: { name: RegExp }): Locator {
  return page.getByRole('listbox', { name: 'Choices' }).getByRole('option', what);
}

test('a page, a worker and its actions are a few keys away', async ({ admin: page, picture }) => {
  const id = await createWorker(page, 'eu-17');
  await createWorker(page, 'us-17');
  await page.goto('/nets');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  const input = page.getByRole('combobox', { name: 'Search or act' });

  await page.keyboard.press('Control+k');
  await expect(input).toBeFocused();
  await page.keyboard.type('work');
  await expect(choices(page).first()).toHaveText(/^Workers/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/workers$/);
  await expect(input).toHaveCount(0);

  await page.keyboard.press('Control+k');
  await page.keyboard.type('eu17');
  await expect(choices(page).first()).toHaveText(/^eu-17/);
  await expect(choices(page, { name: /^Provision eu-17/ })).toBeVisible();
  await picture('palette');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/workers/${id}$`));

  await page.keyboard.press('Control+k');
  await page.keyboard.type(id.slice(0, 18));
  await expect(choices(page, { name: /^eu-17/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(input).toHaveCount(0);

  // A verb and a name.
  await page.keyboard.press('Control+k');
  await page.keyboard.type('prov eu');
  await expect(choices(page).first()).toHaveText(/^Provision eu-17/);
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await ask(page, 'get', `workers/${id}`)).status, { timeout: 15_000 }).toBe('ready');
});

test('Esc goes back one layer at a time', async ({ admin: page }) => {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('us-17');
  await expect(choices(page).first()).toHaveText(/^us-17/);
  await page.keyboard.press('Tab');
  await expect(choices(page).first()).toHaveText(/^Open us-17/);
  await page.keyboard.press('Escape');
  await expect(choices(page, { name: /^Overview/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('combobox')).toHaveCount(0);
});

test('what is refused now is found too, in any order and with a slip, and says why', async ({ admin: page }) => {
  await page.goto('/');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('us-17 destory');
  await expect(choices(page, { name: /^Destroy us-17/ })).toHaveAttribute('aria-disabled', 'true');
  await expect(page.getByRole('dialog')).toContainText('Cannot destroy us-17: it is pending. It has no machine.');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog'), 'nothing was done').toContainText('Cannot destroy us-17');
});

test('a net is assigned where it can go, and nowhere else', async ({ admin: page }) => {
  await page.goto('/');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('assign prod');
  await choices(page, { name: /^Assign Prod.*…/ }).first().waitFor();
  await page.keyboard.press('Enter');
  // us-17 is pending: it is found, and refused with its state.
  await page.keyboard.type('us');
  await expect(choices(page, { name: /to us-17/ })).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog').getByText(/us-17 is pending/)).toBeVisible();
  for (let i = 0; i < 2; i++) await page.keyboard.press('Backspace');
  await expect(choices(page, { name: /to eu-17/ })).toBeVisible();
  await page.keyboard.press('Enter');
  const net = async () => (await ask(page, 'get', 'nets')).find((net: any) => net.name.startsWith('Prod'));
  await expect.poll(async () => (await net()).worker_id).not.toBeUndefined();
});

test('what is lost is told while it changes, and the deed is refused once it cannot be done', async ({ admin: page }) => {
  const id = await readyWorker(page, 'goes');
  await page.goto(`/workers/${id}`);
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.getByRole('button', { name: 'Destroy', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Destroy goes?' });
  await expect(dialog).toContainText('Its machine will be destroyed.');
  await expect(dialog).not.toContainText('marking');
  await loadNet(page, id, 'Dining');
  await expect(dialog).toContainText(/unloaded and its marking lost: Dining/);
  await ask(page, 'post', `workers/${id}/destroy`);
  await expect(dialog).toContainText(/Cannot destroy goes: it is pending\. It has no machine\. Ada destroyed .* ago\./);
  await expect(dialog.getByRole('button', { name: 'Destroy' })).toBeDisabled();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
});
