// Users, members, tokens: who is let in, what they see, and how soon it ends.

import { type Browser, type Page, request } from '@playwright/test';

import { findings } from '../axe.ts';
import { expect, test } from '../fixtures.ts';
import { ask } from '../fleet.ts';
import { call, createProject } from '../groups.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const PASSWORD = 'another long passphrase';
const alive = (page: Page) => expect(page.getByText('Realtime: connected')).toBeVisible();
const told = (page: Page) => page.getByRole('region', { name: 'Messages' });

/** A user with a password of their own, signed in in a browser of their own. */
async function join(admin: Page, browser: Browser, url: string, email: string, role: string): Promise<Page> {
  const { link } = await call(admin, 'create-user', { email, role });
  const context = await browser.newContext({ baseURL: url });
  const page = await context.newPage();
  await page.goto(link);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Choose password and sign in' }).click();
  await expect(page).toHaveURL(`${url}/`);
  return page;
}

test('a token is shown once, lets a program in, and is revoked', async ({ admin: page, server, picture }) => {
  await page.goto('/settings/tokens');
  await alive(page);
  await page.getByText('Create token').click();
  await expect(page.getByLabel('Name')).toBeFocused();
  await page.getByLabel('Name').fill('ci');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'The token ci' });
  const secret = await dialog.locator('.mono').innerText();
  await dialog.getByRole('button', { name: 'I have it' }).click();
  const row = page.locator('[data-token="ci"]');
  await expect(row).toContainText('viewer in the fleet');
  await expect(row).toContainText('never used');
  expect(await page.content()).not.toContain(secret);
  await picture('tokens');

  const program = await request.newContext({ baseURL: server.url, extraHTTPHeaders: { Authorization: `Bearer ${secret}` } });
  expect((await program.get('/api/nets')).status()).toBe(200);
  expect((await program.post('/api/clusters', { data: { name: 'no', provider: 'external' } })).status()).toBe(403);
  await page.getByRole('button', { name: 'Fetch it again' }).click();
  await expect(row).toContainText(/used .* ago/);

  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke token' }).click();
  await expect(row).toContainText('revoked');
  await expect(row.getByRole('button', { name: 'Revoke' })).toHaveCount(0);
  expect((await program.get('/api/nets')).status()).toBe(401);
  await program.dispose();
});

test('a user is added with a link that is shown once, and disabled', async ({ admin: page, browser, server, picture }) => {
  await page.goto('/settings/users');
  await alive(page);
  await page.getByText('Add user').click();
  await expect(page.getByRole('textbox', { name: 'Email', exact: true })).toBeFocused();
  await page.getByRole('textbox', { name: 'Email', exact: true }).fill('grace@example.com');
  await page.getByLabel('Role in the whole fleet').first().selectOption('viewer');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'The link for grace@example.com' });
  const link = await dialog.locator('.mono').innerText();
  expect(link).toContain(`${server.url}/join/`);
  await dialog.getByRole('button', { name: 'I have it' }).click();
  const row = page.locator('[data-user="grace@example.com"]');
  await expect(row).toContainText('invited');
  await picture('users');

  const context = await browser.newContext({ baseURL: server.url });
  const theirs = await context.newPage();
  await theirs.goto(link);
  await theirs.getByLabel('Password').fill(PASSWORD);
  await theirs.getByRole('button', { name: 'Choose password and sign in' }).click();
  await alive(theirs);
  // A viewer sees no buttons, and no pages of administrators.
  await theirs.goto('/projects');
  await expect(theirs.locator('.group').first()).toBeVisible();
  await expect(theirs.getByText('Create project')).toHaveCount(0);
  await theirs.goto('/settings/users');
  await expect(theirs.getByText('Users are for the administrators')).toBeVisible();

  await theirs.goto('/nets');
  await alive(theirs);
  await expect(theirs.locator('tbody.entry').first()).toBeVisible();

  await page.getByRole('button', { name: 'Fetch it again' }).click();
  await expect(row).toContainText('active');
  await row.getByRole('button', { name: 'Disable' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disable user' }).click();
  await expect(row).toContainText('disabled');
  await expect(theirs.getByText('Realtime: connected')).toHaveCount(0, { timeout: 1_000 });
  // Nothing of what they saw stays behind the dialog that asks for a password.
  await expect(theirs.getByRole('dialog', { name: 'You are signed out' })).toBeVisible();
  await expect(theirs.locator('tbody.entry')).toHaveCount(0);
  await expect(theirs.getByText('nothing is shown until you sign in')).toBeVisible();
  await context.close();
});

test('two users see exactly their projects, and what changes reaches their open pages', async ({ admin: page, browser, server }) => {
  const [red, blue] = [await createProject(page, 'red'), await createProject(page, 'blue')];
  const nets = await ask(page, 'get', 'nets');
  await call(page, 'move-net', { id: nets[0].id, project_id: red });
  await call(page, 'move-net', { id: nets[1].id, project_id: blue });
  const rosa = await join(page, browser, server.url, 'rosa@example.com', 'none');
  const bela = await join(page, browser, server.url, 'bela@example.com', 'none');

  // They are made members on the project's page.
  for (const [project, email] of [[red, 'rosa@example.com'], [blue, 'bela@example.com']] as const) {
    await page.goto(`/projects/${project}`);
    await alive(page);
    await page.getByLabel('Email of a user').fill(email);
    await page.getByLabel('Role', { exact: true }).selectOption('operator');
    await page.getByRole('button', { name: 'Add member' }).click();
    await expect(page.locator(`[data-member="${email}"]`)).toBeVisible();
  }
  for (const theirs of [rosa, bela]) {
    await theirs.goto('/nets');
    await alive(theirs);
  }
  const row = (theirs: Page, n: number) => theirs.locator(`tbody[data-net="${nets[n].name}"]`);
  await expect(row(rosa, 0)).toBeVisible();
  await expect(rosa.locator('tbody.entry')).toHaveCount(1);
  await expect(row(bela, 1)).toBeVisible();
  await expect(bela.locator('tbody.entry')).toHaveCount(1);
  await rosa.locator('.switch summary').filter({ hasText: 'project' }).click();
  await expect(rosa.locator('.switch a').filter({ hasText: 'red' })).toHaveCount(1);
  await expect(rosa.locator('.switch a').filter({ hasText: 'blue' })).toHaveCount(0);

  // A net that moves.
  await call(page, 'move-net', { id: nets[0].id, project_id: blue });
  await expect(row(bela, 0)).toBeVisible({ timeout: 1_000 });
  await expect(row(rosa, 0)).toHaveCount(0, { timeout: 1_000 });

  // A member who is removed: the page is opened anew with another scope.
  await page.goto(`/projects/${blue}`);
  await alive(page);
  const member = page.locator('[data-member="bela@example.com"]');
  await member.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove member' }).click();
  await expect(bela.locator('tbody.entry')).toHaveCount(0, { timeout: 1_000 });
  await expect(member).toHaveCount(0);
  await rosa.context().close();
  await bela.context().close();
});

test('a quota is kept', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 409/);
  const small = await createProject(page, 'small', { nets: 1 });
  const [one, other] = await ask(page, 'get', 'nets');
  await call(page, 'move-net', { id: one.id, project_id: small });
  await page.goto(`/nets/${other.id}`);
  await alive(page);
  await page.getByLabel('Other project').selectOption({ label: 'small' });
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(told(page)).toContainText(/quota/i);
  await expect(page.locator('.net-project')).not.toHaveText('small');
});

test('one changes one’s own password', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 400/);
  await page.goto('/settings');
  await alive(page);
  await page.getByLabel('Present password').fill('not this one at all');
  await page.getByLabel('New password').fill('a still longer passphrase');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('alert')).toContainText('The current password is wrong');
});

test('the pages are accessible and fit a phone', async ({ admin: page }) => {
  const [project] = await ask(page, 'get', 'projects');
  for (const path of ['/settings', '/settings/tokens', '/settings/users', '/settings/audit', `/projects/${project.id}`]) {
    await page.goto(path);
    await alive(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await findings(page), `${path}, ${colorScheme}`).toEqual([]);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await expect.poll(wide, `${path} on a phone`).toBeLessThanOrEqual(0);
    await page.setViewportSize({ width: 1440, height: 900 });
  }
});

test('without JavaScript a member is added and removed', { tag: '@no-js' }, async ({ admin: page }) => {
  const project = await createProject(page, 'plain');
  await call(page, 'create-user', { email: 'plain@example.com', role: 'none' });
  await page.goto(`/projects/${project}`);
  await page.getByLabel('Email of a user').fill('plain@example.com');
  await page.getByRole('button', { name: 'Add member' }).click();
  const row = page.locator('[data-member="plain@example.com"]');
  await expect(row).toBeVisible();
  await row.getByText('Remove…').click();
  await row.getByRole('button', { name: 'Remove now' }).click();
  await expect(row).toHaveCount(0);
  await page.goto('/settings/users');
  await expect(page.locator('[data-user="plain@example.com"]')).toBeVisible();
});
