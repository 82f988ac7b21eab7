import { fillSignIn } from '../accounts.ts';
import { expect, test } from '../fixtures.ts';

test('whoever is not signed in is asked to', { tag: '@both' }, async ({ page, picture }) => {
  await page.goto('/');
  await expect(page.getByLabel('Email')).toBeVisible();
  await expect(page.getByLabel('Password')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeEnabled();
  await picture('sign-in');
});

test('a wrong password is refused in words', { tag: '@both' }, async ({ page, consoleGuard }) => {
  consoleGuard.allow(/status of 401/);
  await page.goto('/');
  await fillSignIn(page, 'nobody@example.com', 'not the password');
  await expect(page.getByRole('alert')).toContainText(/password/i);
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('the frontend comes compressed and for good', async ({ page }) => {
  const module = page.waitForResponse(/\/assets\/muster_bg\.[0-9a-f]+\.wasm$/);
  await page.goto('/');
  const headers = await (await module).allHeaders();
  expect(headers['content-type']).toBe('application/wasm');
  expect(headers['content-encoding']).toMatch(/^(br|gzip)$/);
  expect(headers['cache-control']).toContain('immutable');
});
