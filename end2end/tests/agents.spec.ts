// Hosts with real agents, real repositories and real commands: from the token that is shown once to a merged pull request that is deployed.

import type { Locator, Page } from '@playwright/test';

import { type AgentHost, Fleet } from '../agents.ts';
import { expect, test } from '../fixtures.ts';
import { GitHub } from '../github.ts';

// The slow parts are git and the processes of commands, on a machine that may have other things to do.
test.describe.configure({ mode: 'serial', timeout: 180_000 });

const SLOW = { timeout: 30_000 };
const NAMES = ['birch', 'cedar', 'maple'];
let fleet: Fleet;
let hosts: AgentHost[];

test.beforeAll(async () => {
  fleet = await Fleet.make();
  hosts = [];
  for (const name of NAMES) hosts.push(await fleet.host(name));
});

test.afterAll(() => fleet.dispose());

const row = (page: Page, name: string) => page.locator(`[data-host="${name}"]`);
const compartment = (page: Page, name: string, kind: string) => row(page, name).locator(`[data-compartment="${kind}"]`);
const cells = (page: Page, name: string) =>
  page.locator(`[data-lane="${name}"] [data-state]`).evaluateAll((all) => all.map((it) => it.getAttribute('data-state')));

async function openHosts(page: Page): Promise<void> {
  await page.goto('/hosts');
  await expect(page.getByText('Realtime: connected')).toBeVisible(SLOW);
}

/** What the server says of a host. */
async function known(page: Page, name: string): Promise<any> {
  const all = await (await page.request.get('/api/hosts')).json();
  return all.find((host: any) => host.name === name);
}

/** Presses a button of a row, which is seen when the pointer is there. */
async function press(page: Page, name: string, label: string): Promise<void> {
  await row(page, name).hover();
  await row(page, name).getByRole('button', { name: `${label} ${name}` }).click();
}

async function chooseAll(page: Page): Promise<Locator> {
  await page.getByLabel(/Select all/).click();
  await page.locator('.selection summary').click();
  return page.locator('.selection');
}

test('a host is added, its token is shown once, and its agent is online without a reload', async ({ admin: page, server, picture }) => {
  await openHosts(page);
  for (const host of hosts) {
    await page.getByText('Add host', { exact: true }).click();
    await page.getByLabel('Name', { exact: true }).fill(host.name);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: `The token of ${host.name}` });
    await expect(dialog).toContainText(`muster agent --server ${server.url} --token-file ${host.name}.token`);
    const token = await dialog.locator('.token-line .mono').first().innerText();
    if (host === hosts[0]) await picture('agents-token');
    await expect(row(page, host.name).locator('[data-presence="offline"]')).toContainText('never seen');
    await dialog.getByRole('button', { name: 'I have it' }).click();
    await expect(dialog).toBeHidden();
    expect(await page.content(), 'it is shown this once').not.toContain(token);
    await host.start(server.url, token);
    await expect(row(page, host.name).locator('[data-presence="online"]')).toBeVisible(SLOW);
  }
  // What the agents found out is there, and figures move.
  for (const name of NAMES) {
    await expect(compartment(page, name, 'git')).toHaveAttribute('data-status', 'ok', SLOW);
    await expect(compartment(page, name, 'git')).toHaveAttribute('title', /Up to date with origin\/main/);
    await expect(compartment(page, name, 'system')).toHaveAttribute('data-status', 'ok', SLOW);
    await expect(row(page, name).locator('.cell-load')).toHaveText(/^\s*\d+\.\d\d\s*$/);
  }
  const head = await hosts[0]!.head();
  await expect(row(page, 'birch').locator('.cell-generation')).toHaveText(head.slice(0, 10));
  await picture('agents-hosts');

  const said = (name: string) =>
    row(page, name).evaluate((row) => ({
      presence: row.querySelector('[data-presence]')?.getAttribute('data-presence'),
      compartments: [...row.querySelectorAll('[data-compartment]')].map((it) => it.getAttribute('data-status')),
      generation: row.querySelector('.cell-generation')?.textContent?.trim(),
      agent: row.querySelector('.cell-agent')?.textContent?.trim(),
      actions: [...row.querySelectorAll('.host-actions button')].map((it) => it.getAttribute('aria-label') ?? it.textContent),
    }));
  const rows = await Promise.all(NAMES.map(said));
  expect(rows[0]?.actions.slice(0, 4)).toEqual(['Pull birch', 'Switch birch', 'Test birch', 'Refresh birch']);
  await page.getByRole('link', { name: /cards/i }).click();
  await expect(page.locator('.table.cards')).toBeVisible();
  expect(await Promise.all(NAMES.map(said)), 'a card says what a row says').toEqual(rows);
  await picture('agents-cards');
  await page.getByRole('link', { name: 'birch', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'birch' })).toBeVisible();
  await expect(page.locator('[data-compartment="git"]')).toContainText('Up to date with origin/main');
});

test('a refresh is answered with what is newer than the click, or says how old what is known is', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/504/);
  await openHosts(page);
  await fleet.push('Something new');
  await expect(compartment(page, 'birch', 'git')).toHaveAttribute('data-status', 'ok');
  const clicked = Date.now();
  await press(page, 'birch', 'Refresh');
  await expect(compartment(page, 'birch', 'git')).toHaveAttribute('title', /1 commit behind origin\/main/, SLOW);
  await expect(compartment(page, 'birch', 'git')).toHaveAttribute('data-status', 'outdated');
  expect((await known(page, 'birch')).compartments.git.checked_at).toBeGreaterThanOrEqual(clicked);
  await expect(compartment(page, 'cedar', 'git'), 'nobody asked it').toHaveAttribute('data-status', 'ok');

  hosts[1]!.signal('SIGSTOP');
  try {
    const before = Date.now();
    await press(page, 'cedar', 'Refresh');
    await expect(page.getByText(/cedar did not .*Last known: .* old\./).first()).toBeVisible({ timeout: 20_000 });
    const waited = Date.now() - before;
    expect(waited, 'it was waited for').toBeGreaterThan(9_000);
    expect(waited).toBeLessThan(15_000);
    await expect(row(page, 'cedar').locator('[data-presence]')).not.toHaveAttribute('data-presence', 'online', SLOW);
  } finally {
    hosts[1]!.signal('SIGCONT');
  }
  await expect(row(page, 'cedar').locator('[data-presence="online"]')).toBeVisible({ timeout: 60_000 });
});

test('a command is run from the row, its log is live, and a long one is cancelled', async ({ admin: page, picture }) => {
  const [birch] = hosts as [AgentHost];
  await openHosts(page);
  await press(page, 'birch', 'Pull');
  const log = page.getByRole('log');
  await expect(page.getByRole('tab', { name: /pull@birch/ })).toBeVisible();
  await expect(log).toContainText('Fast-forward', SLOW);
  await expect(page.locator('.log-tools')).toContainText('succeeded', SLOW);
  await expect(compartment(page, 'birch', 'git')).toHaveAttribute('data-status', 'ok', SLOW);
  await expect(compartment(page, 'birch', 'system'), 'what is checked out is not deployed').toHaveAttribute('data-status', 'outdated', SLOW);

  await birch.script('test', 'echo $$ > pid\necho "\u001b[32mhalf way\u001b[0m"\nwhile [ ! -e go ]; do sleep 0.1; done\necho the rest');
  await press(page, 'birch', 'Test');
  await expect(page.getByRole('tab', { name: /test@birch/ })).toBeVisible();
  await expect(log).toContainText('half way', SLOW);
  await expect(log.locator('.ink-2')).toHaveText('half way');
  await expect(page.locator('.log-tools')).toContainText('running');
  await expect(row(page, 'birch').locator('.command-kind')).toHaveText('test');
  await birch.write('go');
  await expect(log, 'as it is written').toContainText('the rest', SLOW);
  await expect(page.locator('.log-tools')).toContainText('succeeded', SLOW);

  await birch.script('test', 'echo $$ > pid\necho for ever\nexec sleep 3600');
  await press(page, 'birch', 'Test');
  await expect(log).toContainText('for ever', SLOW);
  await page.getByRole('link', { name: 'birch', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'birch' })).toBeVisible();
  const line = page.locator('[data-command]').first();
  await expect(line).toContainText(/running.*for \d+ s/);
  await picture('agents-host');
  const pid = Number(await birch.read('pid'));
  expect(() => process.kill(pid, 0), 'it runs').not.toThrow();
  await page.locator('.log-tools').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('.log-tools')).toContainText('cancelled', SLOW);
  await expect(line).toContainText(/cancelled.*took \d+ s/);
  expect(() => process.kill(pid, 0), 'it is gone').toThrow('ESRCH');
});

test('a command is run on three hosts at once', async ({ admin: page }) => {
  await openHosts(page);
  for (const host of hosts) await host.script('test', `echo ${host.name} is well`);
  const before = await Promise.all(hosts.map((host) => host.ran()));
  const menu = await chooseAll(page);
  await menu.getByRole('button', { name: 'Test…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('All 3 hosts permit it now.');
  await dialog.getByRole('button', { name: 'Run test on 3 hosts' }).click();
  await expect(dialog).toContainText('Done: 3', SLOW);
  await dialog.getByRole('button', { name: 'Close' }).click();
  for (const [n, host] of hosts.entries()) {
    await expect.poll(() => host.ran(), SLOW).toEqual([...before[n]!, 'test']);
    await expect(row(page, host.name).locator('.command-now.over.tone-good')).toBeVisible(SLOW);
    await row(page, host.name).locator('.command-now').click();
    await expect(page.getByRole('log')).toContainText(`${host.name} is well`);
  }
});

test('a canary that fails stops the pipeline before the others', async ({ admin: page, picture }) => {
  await openHosts(page);
  const [birch, cedar, maple] = hosts as [AgentHost, AgentHost, AgentHost];
  const [others, head] = [await Promise.all([cedar.ran(), maple.ran()]), await maple.head()];
  await birch.script('switch', 'echo no room left\nexit 3');
  const menu = await chooseAll(page);
  await menu.getByRole('button', { name: 'Start a pipeline…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Stages')).toHaveValue('pull switch');
  await expect(dialog.getByLabel('Canaries first')).toHaveValue('1');
  await dialog.getByRole('button', { name: 'Start on 3 hosts' }).click();
  await expect(page).toHaveURL(/\/pipelines\/[-0-9a-f]+$/);
  await expect(page.locator('.page-reason')).toContainText('A canary failed', SLOW);
  await expect(page.getByText('0 of 3 hosts done, 1 failed, 2 skipped')).toBeVisible();
  await expect(page.locator('[data-lane="birch"] .canary')).toBeVisible();
  expect(await cells(page, 'birch')).toEqual(['succeeded', 'failed']);
  for (const name of ['cedar', 'maple']) expect(await cells(page, name)).toEqual(['skipped', 'skipped']);
  await page.locator('[data-lane="birch"]').getByRole('button', { name: 'failed' }).click();
  await expect(page.getByRole('log')).toContainText('no room left');
  await expect(page.locator('.log-tools')).toContainText('It ended with exit code 3');
  await picture('agents-canary');
  expect(await Promise.all([cedar.ran(), maple.ran()]), 'nothing was run on the others').toEqual(others);
  expect(await maple.head()).toBe(head);
});

test('a paused pipeline begins nothing until it is resumed', async ({ admin: page, picture }) => {
  await openHosts(page);
  for (const host of hosts) await host.script('switch', 'while [ ! -e gate ]; do sleep 0.1; done\ngit -C checkout rev-parse HEAD > deployed');
  const ran = async (host: AgentHost) => (await host.ran()).length;
  const before = await Promise.all(hosts.map(ran));
  const menu = await chooseAll(page);
  await menu.getByRole('button', { name: 'Start a pipeline…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Stages').fill('switch');
  await dialog.getByLabel('At once').fill('1');
  await dialog.getByLabel('Canaries first').fill('0');
  await dialog.getByRole('button', { name: 'Start on 3 hosts' }).click();
  await expect.poll(() => cells(page, 'birch'), SLOW).toEqual(['running']);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.locator('[data-pipeline]')).toContainText('paused', SLOW);
  await hosts[0]!.write('gate');
  await expect.poll(() => cells(page, 'birch'), SLOW).toEqual(['succeeded']);
  await expect(page.getByText('1 of 3 hosts done')).toBeVisible();
  await picture('agents-paused');
  for (const name of ['cedar', 'maple']) expect(await cells(page, name)).toEqual(['waiting']);

  await page.getByRole('button', { name: 'Resume' }).click();
  await expect.poll(() => cells(page, 'cedar'), SLOW).toEqual(['running']);
  expect(await cells(page, 'maple'), 'one at once').toEqual(['waiting']);
  for (const host of hosts) await host.write('gate');
  await expect(page.locator('[data-pipeline]')).toContainText('succeeded', SLOW);
  expect(await Promise.all(hosts.map(ran)), 'each was run once').toEqual(before.map((count) => count + 1));
});

test('a pull request is merged and deployed to the chosen hosts', async ({ admin: page, server, restartServer, picture }) => {
  const github = await GitHub.start();
  try {
    for (const host of hosts) await host.script('switch');
    const repository = ['--repository', fleet.remote, '--repository-branch', 'main', '--repository-poll', '1'];
    server.more = [...(await github.flags(fleet.folder)), ...repository];
    await restartServer();
    const pull = github.open(42, 'Update the lock file');
    let merged = '';
    github.onMerge = async () => void (merged = await fleet.push('Update the lock file', 'lock 2'));
    await openHosts(page);
    for (const name of NAMES) {
      await expect(row(page, name).locator('[data-presence="online"]'), 'the agents dial again').toBeVisible({ timeout: 60_000 });
      await expect(compartment(page, name, 'lock')).toHaveAttribute('title', /Pull request #42 Update the lock file is open/, SLOW);
    }
    const left = await hosts[2]!.head();
    for (const name of ['birch', 'cedar']) await page.getByLabel(`Select ${name}`).click();
    await page.locator('.selection summary').click();
    await expect(page.locator('.selection .menu-item').first()).toHaveText('Merge & Deploy PR #42…');
    await page.locator('.selection .menu-item').first().click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('Merge & Deploy PR #42?');
    await expect(dialog).toContainText(`Update the lock file at head ${pull.sha.slice(0, 10)}`);
    await expect(dialog).toContainText('2 hosts: birch, cedar.');
    await picture('agents-merge');
    await dialog.getByRole('button', { name: 'Merge #42 and deploy to 2 hosts' }).click();
    await expect(page).toHaveURL(/\/pipelines\/[-0-9a-f]+$/, SLOW);
    await expect(page.getByRole('heading', { name: /#42/ })).toBeVisible();
    await expect(page.locator('[data-pipeline]')).toContainText('succeeded', { timeout: 60_000 });
    for (const name of ['birch', 'cedar']) expect(await cells(page, name)).toEqual(['succeeded', 'succeeded']);
    await expect(page.locator('[data-lane]')).toHaveCount(2);
    await picture('agents-deployed');
    expect(github.merges).toEqual([{ number: 42, sha: pull.sha, method: expect.any(String) }]);
    for (const host of hosts.slice(0, 2)) {
      expect(await host.head()).toBe(merged);
      expect((await host.read('deployed')).trim()).toBe(merged);
    }
    expect(await hosts[2]!.head(), 'nobody chose it').toBe(left);

    await openHosts(page);
    for (const name of ['birch', 'cedar']) {
      for (const kind of ['git', 'lock', 'system']) {
        await expect(compartment(page, name, kind)).toHaveAttribute('data-status', 'ok', SLOW);
      }
    }
    await expect(compartment(page, 'maple', 'lock')).toHaveAttribute('data-status', 'outdated', SLOW);
    await expect(page.locator('.compartment-waits'), 'it is not open any more').toHaveCount(0);
    await chooseAll(page);
    await expect(page.getByRole('button', { name: /Merge & Deploy/ })).toHaveCount(0);
    await picture('agents-after');
  } finally {
    await github.stop();
  }
});

test('a hundred thousand lines arrive in the log, all of them and in order', async ({ admin: page, context, picture }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openHosts(page);
  await row(page, 'birch').hover();
  await row(page, 'birch').getByLabel('More actions on birch').click();
  await page.getByRole('button', { name: 'Flood birch' }).click();
  await expect(page.getByRole('tab', { name: /flood@birch/ })).toBeVisible();
  await expect(page.getByRole('log')).toContainText(/line 100000$/, { timeout: 120_000 });
  await expect(page.locator('.log-tools')).toContainText('succeeded', SLOW);
  expect(await page.locator('.log-line').count(), 'only what is seen is in the page').toBeLessThan(80);
  await picture('agents-flood');
  // In a window of another size it still follows.
  const log = page.getByRole('log');
  const height = () => log.evaluate((log) => log.clientHeight);
  const low = await height();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(height).not.toBe(low);
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect.poll(height).toBe(low);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  await expect(log).toContainText(/line 100000$/);
  const whole = Array.from({ length: 100_000 }, (_, n) => `line ${n + 1}\n`).join('');
  await page.getByRole('button', { name: 'Copy the log' }).click();
  await expect(page.locator('.toast').getByText('Copied the log.')).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.trimEnd() === whole.trimEnd(), `${copied.split('\n').length} lines of the panel are those that were written`).toBe(true);
  const address = await page.getByRole('link', { name: 'Download the log' }).getAttribute('href');
  const stored = await (await page.request.get(address!)).text();
  expect(stored === whole, `${stored.split('\n').length} lines of the download are those that were written`).toBe(true);
});
