// Hosts that were written into the journal and whose agents do not come: one component as row and card, and what can be done with several.

import { expect, test } from '../fixtures.ts';
import { PULL_REQUEST, append, command, commandPut, host, hostPut } from '../hosts.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const one = host('hsb1');
const away = host('hsb2', { online: false, last_seen: Date.now() - 120_000, theme_color: '#f7768e' });
const old = host('gpc0', { agent: { id: one.agent.id, version: '0.0.9', outdated: true }, host_type: 'macos' });
const running = command(one, 'switch', 'running');
one.pending_command = running.id;

test('hosts appear without reload, and a row and a card say the same', async ({ admin: page, server, picture }) => {
  await page.goto('/hosts');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await append(server, [hostPut(one), hostPut(away), hostPut(old), commandPut(running), PULL_REQUEST]);
  await expect(page.locator('[data-host]')).toHaveCount(3);
  const said = async (name: string) => {
    const row = page.locator(`[data-host="${name}"]`);
    return {
      presence: await row.locator('[data-presence]').getAttribute('data-presence'),
      compartments: await row.locator('[data-compartment]').evaluateAll((all) => all.map((it) => it.getAttribute('data-status'))),
      command: await row.locator('.command-kind').allTextContents(),
      agent: (await row.locator('.cell-agent').textContent())?.trim(),
      generation: (await row.locator('.cell-generation').textContent())?.trim(),
      actions: await row.locator('.host-actions button').evaluateAll((all) => all.map((it) => it.getAttribute('aria-label') ?? it.textContent)),
    };
  };
  const names = ['hsb1', 'hsb2', 'gpc0'];
  // No agent speaks for them: the console does not let what is written stand as the truth for long.
  for (const name of names) await expect(page.locator(`[data-host="${name}"] [data-presence="offline"]`)).toBeVisible({ timeout: 40_000 });
  const rows = await Promise.all(names.map(said));
  expect(rows[0]).toMatchObject({ presence: 'offline', compartments: ['ok', 'outdated', 'ok'], command: ['switch'], generation: '4f1c2a7be0' });
  expect(rows[2]?.agent).toContain('outdated');
  expect(rows[0]?.actions.slice(0, 3)).toEqual(['Pull hsb1', 'Switch hsb1', 'Test hsb1']);
  expect(rows[0]?.actions, 'one that is offline is not asked for a report').not.toContain('Refresh hsb1');
  await picture('hosts');

  await page.getByRole('link', { name: /cards/i }).click();
  await expect(page.locator('.table.cards')).toBeVisible();
  expect(await Promise.all(names.map(said))).toEqual(rows);
  await picture('hosts-cards');
});

test('the lock says which pull request waits, and every compartment when it was checked', async ({ admin: page }) => {
  await page.goto('/hosts');
  const lock = page.locator('[data-host="hsb1"] [data-compartment="lock"]');
  await expect(lock).toHaveAttribute('title', /Lock: outdated\. The lock file is .* Checked .* ago\. Pull request #42 Update the lock file is open/);
  await expect(lock.locator('.compartment-waits')).toHaveCount(1);
});

test('facets narrow by presence, and the address holds it', async ({ admin: page }) => {
  await page.goto('/hosts?presence=offline&type=macos');
  await expect(page.locator('[data-host]')).toHaveCount(1);
  await expect(page.locator('[data-host="gpc0"]')).toBeVisible();
  await page.goto('/hosts?presence=online');
  await expect(page.getByText('No host matches the filter.')).toBeVisible();
  await page.goto('/hosts?q=macos');
  await expect(page.locator('[data-host="gpc0"]')).toBeVisible();
  await expect(page.locator('[data-host]')).toHaveCount(1);
});

test('what is run on several is said before, and merging is offered first', async ({ admin: page, picture }) => {
  await page.goto('/hosts');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.route('**/api/hosts*', (route) => route.fulfill({ json: [one, away, { ...old, revoked: true }] }));
  await page.getByLabel(/Select all 3/).click();
  const menu = page.locator('.selection summary');
  await menu.click();
  await expect(page.locator('.selection .menu-item').first()).toHaveText('Merge & Deploy PR #42…');
  await page.locator('.selection').getByRole('button', { name: 'Pull…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('2 of them permit it now; 1 host will be left as they are.');
  await expect(dialog).toContainText('Cannot run a command on gpc0: it is without a token.');
  await expect(dialog).toContainText('1 host is offline: the command waits there');
  await dialog.getByRole('button', { name: 'Cancel' }).click();

  await menu.click();
  await page.getByRole('button', { name: 'Merge & Deploy PR #42…' }).click();
  await expect(dialog).toContainText('9c8b7a6f5e');
  await expect(dialog.getByRole('button', { name: 'Merge #42 and deploy to 3 hosts' })).toBeEnabled();
  await picture('hosts-merge');
  await dialog.getByLabel('Stages').fill('pull nothing');
  await expect(dialog).toContainText('Cannot run nothing on');
  await expect(dialog.getByRole('button', { name: /Merge #42/ })).toBeDisabled();
  await page.keyboard.press('Escape');
});

test('a host has a page of its own', async ({ admin: page, picture, consoleGuard }) => {
  consoleGuard.allow(/status of (404|405)/);
  await page.goto(`/hosts/${one.id}`);
  await expect(page.getByRole('heading', { name: 'hsb1' })).toBeVisible();
  await expect(page.locator('[data-compartment="lock"]')).toContainText('expected is 5f6a7b8c9d');
  await expect(page.locator(`[data-command="${running.id}"]`)).toContainText('running');
  await picture('host');
});
