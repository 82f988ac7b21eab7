// Who signs in, and how: through the same forms as anybody.

import { type Page, expect } from '@playwright/test';

import type { MusterServer } from './muster-server.ts';

export const ADMINISTRATOR = { name: 'Ada', email: 'admin@example.com', password: 'a long enough passphrase' };

/** Fills in the form on the sign-in page that `page` shows, and sends it. */
export async function fillSignIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Creates the administrator through the setup link, once for each server, and leaves `page` on the overview. */
export async function signInAsAdministrator(page: Page, server: MusterServer): Promise<void> {
  if (server.administrator) {
    await page.context().addCookies(server.administrator);
    await page.goto('/');
    return;
  }
  await page.goto(await server.setupLink());
  await page.getByLabel('Your name').fill(ADMINISTRATOR.name);
  await page.getByLabel('Email').fill(ADMINISTRATOR.email);
  await page.getByLabel('Password').fill(ADMINISTRATOR.password);
  await page.getByRole('button', { name: 'Create user and sign in' }).click();
  await expect(page).toHaveURL(`${server.url}/`);
  server.administrator = await page.context().cookies();
}
