// Clusters and projects: the choice of what is looked at, their pages, moving a net.

import type { Page } from '@playwright/test';

import { findings } from '../axe.ts';
import { expect, test } from '../fixtures.ts';
import { ask, createWorker, readyWorker } from '../fleet.ts';
import { createCluster, createProject } from '../groups.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const alive = (page: Page) => expect(page.getByText('Realtime: connected')).toBeVisible();
const switcher = (page: Page, what: 'cluster' | 'project') => page.locator('.switch summary').filter({ hasText: `${what}: ` });

async function choose(page: Page, what: 'cluster' | 'project', name: string): Promise<void> {
  await switcher(page, what).click();
  await page.locator('.switch a').filter({ hasText: new RegExp(`^${name}$`) }).locator('visible=true').click();
  await expect(switcher(page, what)).toHaveText(`${what}: ${name}▾`);
}

test('a cluster that is chosen narrows every page, in the address, over navigation and reload', async ({ admin: page }) => {
  await createWorker(page, 'here');
  const far = await createCluster(page, 'far away');
  await page.goto('/workers');
  await alive(page);
  await expect(page.locator('[data-worker="here"]')).toBeVisible();

  await choose(page, 'cluster', 'far away');
  await expect(page).toHaveURL(`/workers?in_cluster=${far}`);
  await expect(page.locator('[data-worker="here"]')).toHaveCount(0);
  await expect(page.getByText('No workers yet.')).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await expect(page).toHaveURL(`/?in_cluster=${far}`);
  await expect(page.locator('.tile').filter({ hasText: 'Workers ready' })).toContainText('0 of 0');
  await page.getByRole('link', { name: 'Workers', exact: false }).first().click();
  await expect(page).toHaveURL(`/workers?in_cluster=${far}`);
  await page.reload();
  await alive(page);
  await expect(switcher(page, 'cluster')).toHaveText('cluster: far away▾');
  await expect(page.locator('[data-worker="here"]')).toHaveCount(0);

  // An address that does not say shows what was chosen last, from the first byte on.
  const sent = await (await page.request.get('/workers', { headers: { Accept: 'text/html' } })).text();
  expect(sent).toContain('far away');
  expect(sent).not.toContain('data-worker="here"');

  // Back undoes a choice; so does choosing all.
  await page.goto('/workers?in_cluster=all');
  await expect(page).toHaveURL('/workers');
  await choose(page, 'cluster', 'far away');
  await page.goBack();
  await expect(page).toHaveURL('/workers');
  await expect(switcher(page, 'cluster')).toHaveText('cluster: all▾');
  await expect(page.locator('[data-worker="here"]')).toBeVisible();
  await page.goForward();
  await expect(page.locator('[data-worker="here"]')).toHaveCount(0);
  await choose(page, 'cluster', 'all');
  await expect(page).toHaveURL('/workers');
  await expect(page.locator('[data-worker="here"]')).toBeVisible();
});

test('what is wrong elsewhere is said while only a part is looked at', async ({ admin: page, server }) => {
  const far = (await ask(page, 'get', 'clusters')).find((cluster: any) => cluster.name === 'far away').id;
  const id = await readyWorker(page, 'falls');
  await page.goto(`/?in_cluster=${far}`);
  await alive(page);
  await expect(page.getByRole('heading', { name: 'Nothing needs attention' })).toBeVisible();
  for (const pid of await server.workerPids(id)) process.kill(pid, 'SIGKILL');
  await expect(page.getByText('Outside of what you look at: 1 needs attention.')).toBeVisible({ timeout: 15_000 });
  await page.getByRole('link', { name: 'Show all', exact: true }).click();
  await expect(page.locator('.attention [data-worker="falls"]')).toBeVisible();

  await page.goto('/clusters');
  const card = page.locator('.group[data-cluster="local"]');
  await expect(card).toContainText(/1 of 2 workers in error: falls \(/);
  await expect(page.locator('.group[data-cluster="far away"]')).toContainText('It has no workers.');
  await card.getByRole('link', { name: 'local' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'local' })).toBeVisible();
  await expect(page.locator('.line[data-worker="falls"]')).toBeVisible();
  await ask(page, 'post', `workers/${id}/provision`);
  await expect(page.locator('.page-head')).not.toContainText('down', { timeout: 15_000 });
});

test('a cluster is created, renamed and deleted', async ({ admin: page, picture }) => {
  await page.goto('/clusters');
  await alive(page);
  await page.getByText('Create cluster').click();
  await expect(page.getByLabel('Name')).toBeFocused();
  await page.getByLabel('Name').fill('lab');
  await page.getByLabel('Region').fill('ams');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const card = page.locator('.group[data-cluster="lab"]');
  await expect(card).toContainText('local, ams');
  await picture('clusters');
  await card.getByRole('link', { name: 'lab' }).click();
  await page.locator('summary', { hasText: 'Rename' }).click();
  await expect(page.getByLabel('Name')).toHaveValue('lab');
  await page.getByLabel('Name').fill('laboratory');
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'laboratory' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Messages' }).getByText('is named laboratory now')).toBeVisible();
  await picture('cluster');

  // It is being looked at when it goes.
  const id = new URL(page.url()).pathname.split('/').pop();
  await page.goto(`/clusters/${id}?in_cluster=${id}`);
  await alive(page);
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete cluster' }).click();
  await expect(page).toHaveURL(new RegExp('/clusters'));
  await expect(page.locator('.group[data-cluster="laboratory"]')).toHaveCount(0);
  await expect(page.getByText('The cluster that you chose to see does not exist any more')).toBeVisible();
  await expect(switcher(page, 'cluster')).toHaveText('cluster: gone▾');
  await page.getByRole('link', { name: 'Show all', exact: true }).click();
  await expect(switcher(page, 'cluster')).toHaveText('cluster: all▾');
});

test('what is not empty is not deleted, and it is said what is in it', async ({ admin: page }) => {
  await page.goto('/projects');
  await alive(page);
  await page.locator('.group-head a').first().click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(/Cannot delete project .+: it has \d+ nets?/);
  await expect(dialog.locator('button.danger')).toBeDisabled();
  await dialog.getByRole('button', { name: 'Close' }).click();
});

test('a project has quotas, and a net moves into it', async ({ admin: page, picture }) => {
  await page.goto('/projects');
  await alive(page);
  await page.getByText('Create project').click();
  await page.getByLabel('Name').fill('research');
  await page.getByLabel('Nets at most').fill('1');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const card = page.locator('.group[data-project="research"]');
  await expect(card).toContainText('0 of 1');
  await expect(card).toContainText('It has no nets.');

  const [net] = await ask(page, 'get', 'nets');
  await page.goto(`/nets/${net.id}`);
  await alive(page);
  await page.getByLabel('Other project').selectOption({ label: 'research' });
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(page.locator('.net-project')).toHaveText('research');
  await page.locator('.net-project a').click();
  await expect(page.getByText('At its quota of 1 net: no net can be added.')).toBeVisible();
  await expect(page.locator('.quotas')).toContainText('1 of 1');
  await expect(page.locator(`.line[data-net="${net.name}"]`)).toBeVisible();
  await picture('project');
  await page.locator('.lines-more').getByRole('link', { name: '1 net' }).click();
  await expect(page.locator('tbody.entry')).toHaveCount(1);
  await expect(switcher(page, 'project')).toHaveText('project: research▾');
  await picture('nets-of-a-project');
  await choose(page, 'project', 'all');
  await expect(page.locator('tbody.entry').nth(1)).toBeVisible();

  // Edited in one page while a form is open in another.
  await page.goto('/projects');
  await card.getByRole('link', { name: 'research' }).click();
  await page.locator('summary', { hasText: /^Edit$/ }).click();
  await expect(page.getByLabel('Nets at most')).toHaveValue('1');
  const id = new URL(page.url()).pathname.split('/').pop()!;
  const other = await page.context().newPage();
  await other.goto(`/projects/${id}`);
  await alive(other);
  await other.locator('summary', { hasText: /^Edit$/ }).click();
  await other.getByLabel('Nets at most').fill('2');
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.locator('.quotas')).toContainText('1 of 2');
  await other.close();
  await expect(page.locator('.quotas')).toContainText('1 of 2');
  await page.getByLabel('Name').fill('mine');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('region', { name: 'Messages' }).getByText('has changed since you opened this form')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: 'research' })).toBeVisible();
});

test('a move reaches an open page within a second', async ({ admin: page }) => {
  const [net] = (await ask(page, 'get', 'nets')).slice(1);
  const elsewhere = await createProject(page, 'elsewhere');
  const home = net.project_id;
  await page.goto(`/nets?in_project=${home}`);
  await alive(page);
  const row = page.locator(`[data-net="${net.name}"]`);
  await expect(row).toBeVisible();
  const headers = { Origin: new URL(page.url()).origin, Accept: 'application/json' };
  await page.request.post('/do/move-net', { form: { id: net.id, project_id: elsewhere }, headers });
  await expect(row).toHaveCount(0, { timeout: 1_000 });
  await page.request.post('/do/move-net', { form: { id: net.id, project_id: home }, headers });
  await expect(row).toBeVisible({ timeout: 1_000 });
});

test('keys and the palette lead to clusters and projects', async ({ admin: page }) => {
  await page.goto('/');
  await alive(page);
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await expect(page).toHaveURL('/clusters');
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await expect(page).toHaveURL('/projects');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('only project resea');
  await page.keyboard.press('Enter');
  await expect(switcher(page, 'project')).toHaveText('project: research▾');
  // The switch is worked by keys alone.
  await switcher(page, 'project').focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(switcher(page, 'project')).toHaveText('project: all▾');
});

test('the pages are accessible and fit a phone', async ({ admin: page }) => {
  const [cluster] = await ask(page, 'get', 'clusters');
  const [project] = await ask(page, 'get', 'projects');
  for (const path of ['/clusters', '/projects', `/clusters/${cluster.id}`, `/projects/${project.id}`, `/workers?in_cluster=${cluster.id}`, '/clusters?new', '/projects?new']) {
    await page.goto(path);
    await alive(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await findings(page), `${path}, ${colorScheme}`).toEqual([]);
    }
    for (const width of [390, 720, 1100]) {
      await page.setViewportSize({ width, height: 844 });
      // What is placed by script follows the window a frame later.
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await expect.poll(wide, `${path} at ${width} px`).toBeLessThanOrEqual(0);
      const bar = () => page.locator('.top').evaluate((top) => top.scrollWidth - top.clientWidth);
      await expect.poll(bar, `the bar of ${path} at ${width} px`).toBeLessThanOrEqual(0);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  }
  await page.goto('/workers?in_cluster=all&in_project=all');
  await alive(page);
  await switcher(page, 'cluster').click();
  expect(await findings(page), 'the switch, open').toEqual([]);
  // On a phone the bar has no room for them: they are behind More.
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of ['Clusters', 'Projects']) {
    await page.getByRole('navigation', { name: 'Pages' }).getByLabel('More pages').click();
    const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true });
    await expect(link).toBeInViewport();
    expect(await findings(page), 'the bar, open').toEqual([]);
    await link.click();
    await expect(page).toHaveURL(new RegExp(`/${name.toLowerCase()}`));
  }
});

test('without JavaScript projects are read, created, edited and chosen', { tag: '@no-js' }, async ({ admin: page }) => {
  await page.goto('/projects');
  await page.getByText('Create project').click();
  await page.getByLabel('Name').fill('plain');
  await page.getByLabel('Nets at most').fill('3');
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: 'The project plain was created.' })).toBeVisible();
  await page.getByRole('link', { name: 'plain', exact: true }).first().click();
  await page.locator('summary', { hasText: /^Edit$/ }).click();
  await page.getByLabel('Name').fill('plainer');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'plainer' })).toBeVisible();
  await switcher(page, 'project').click();
  await page.locator('.switch a').filter({ hasText: /^plainer$/ }).click();
  await expect(switcher(page, 'project')).toHaveText('project: plainer▾');
  await page.goto('/nets');
  await expect(switcher(page, 'project'), 'it is remembered').toHaveText('project: plainer▾');
  await expect(page.getByText('No nets yet.')).toBeVisible();
  await page.goto('/nets?in_project=all');
  await expect(page.locator('tbody.entry').first()).toBeVisible();
  await page.goto('/projects');
  await page.getByRole('link', { name: 'plainer', exact: true }).locator('visible=true').first().click();
  await page.getByText('Delete…').click();
  await page.getByRole('button', { name: 'Delete now' }).click();
  await expect(page).toHaveURL('/projects');
  await expect(page.getByRole('status').filter({ hasText: 'was deleted' })).toBeVisible();
});
