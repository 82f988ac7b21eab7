// What is around every page: messages, the tab's title and picture, keys, and forms that open where they are.

import { expect, test } from '../fixtures.ts';
import { ask, readyWorker } from '../fleet.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

test('trouble is told once, marks the tab, and says when it is over', async ({ admin: page, server, context, consoleGuard }) => {
  const id = await readyWorker(page, 'falls');
  await page.goto('/');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await expect(page).toHaveTitle('Overview · Muster');
  const icon = page.locator('link[rel=icon]');
  await expect(icon).toHaveAttribute('href', /^data:image/);
  const plain = await icon.getAttribute('href');
  for (const pid of await server.workerPids(id)) process.kill(pid, 'SIGKILL');
  const messages = page.getByRole('region', { name: 'Messages' });
  await expect(messages.getByText(/Worker falls was ready and is error/)).toBeVisible({ timeout: 10_000 });
  await expect(page).toHaveTitle('(1) Overview · Muster');
  await expect(icon).not.toHaveAttribute('href', plain!);
  await expect(page.getByRole('heading', { name: '1 needs attention' })).toBeVisible();

  // An error stays; what it tells of recovers, and it says so and goes.
  await ask(page, 'post', `workers/${id}/provision`);
  await expect(messages.getByText('Since then: ready.')).toBeVisible({ timeout: 15_000 });
  await expect(page).toHaveTitle('Overview · Muster');
  await expect(icon).toHaveAttribute('href', plain!);
  await expect(messages.getByText(/Worker falls was ready and is error/)).toHaveCount(0, { timeout: 10_000 });

  // In the history it is still to be read.
  await page.locator('summary[aria-label^="Messages"]').click();
  await expect(page.getByRole('list', { name: 'Newest first' })).toContainText(/Worker falls was ready and is error/);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('list', { name: 'Newest first' })).toBeHidden();

  consoleGuard.allowLostConnections();
  await context.setOffline(true);
  await expect(page).toHaveTitle('(!) Overview · Muster');
  await context.setOffline(false);
  await expect(page).toHaveTitle('Overview · Muster', { timeout: 15_000 });
});

test('equal messages are one with a count, and stay while they are looked at', async ({ admin: page }) => {
  await page.goto('/kit');
  const messages = page.getByRole('region', { name: 'Messages', exact: true }).last();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  // The page is alive once a press has an effect.
  await expect(async () => {
    await button('Error').click();
    await expect(messages).toContainText('worker-1 could not be stopped.', { timeout: 500 });
  }).toPass();
  await button('Error').click();
  await expect(messages).toContainText(/could not be stopped\. × \d/);
  await page.clock.install();
  await button('Success').click();
  await messages.getByText('worker-1 is ready.').hover();
  await page.clock.runFor(20_000);
  await expect(messages).toContainText('worker-1 is ready.');
  await page.mouse.move(5, 5);
  await page.clock.runFor(5_000);
  await expect(messages).not.toContainText('worker-1 is ready.');
  await expect(messages).toContainText('could not be stopped.');
});

test('the picture of the tab is not asked for again while a filter is typed', async ({ admin: page }) => {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  const asked: string[] = [];
  const session = await page.context().newCDPSession(page);
  session.on('Network.requestWillBeSent', ({ request }) => asked.push(request.url));
  await session.send('Network.enable');
  await page.getByLabel('Filter workers').pressSequentially('abc');
  await expect(page).toHaveURL(/q=abc$/);
  // Something that is asked for after all of it, so that what was to come has come.
  await page.evaluate(() => fetch('/healthz?after'));
  await expect.poll(() => asked.some((url) => url.includes('after'))).toBe(true);
  expect(asked.filter((url) => /favicon/.test(url))).toEqual([]);
});

test('errors of one kind are one message that names the newest', async ({ admin: page }) => {
  await page.goto('/kit');
  const messages = page.getByRole('region', { name: 'Messages', exact: true }).last();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  await expect(async () => {
    await button('Error that may recover').click();
    await expect(messages).toContainText('is gone', { timeout: 500 });
  }).toPass();
  await button('It recovers').click();
  await expect(messages).not.toContainText('is gone', { timeout: 15_000 });
  await button('Errors of one kind').click();
  await expect(messages.locator('.toast')).toHaveCount(1);
  await expect(messages).toContainText('5 workers in trouble: worker-5, worker-4, worker-3 and 2 more');
});

test('a phone shows messages where they are under nothing that is pressed', async ({ admin: page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const id = await readyWorker(page, 'phone');
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await ask(page, 'post', `workers/${id}/destroy`);
  await page.getByLabel('More actions on phone').click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  const message = page.locator('.toast').last();
  await expect(message).toContainText('Deleting phone in');
  const covered = await message.evaluate((message) => {
    const over = message.getBoundingClientRect();
    const others = [...document.querySelectorAll('button, a, summary, input')].filter((one) => !message.contains(one));
    const hits = others.filter((one) => {
      const place = one.getBoundingClientRect();
      const seen = place.width > 0 && place.height > 0 && one.checkVisibility({ visibilityProperty: true });
      return seen && place.left < over.right && place.right > over.left && place.top < over.bottom && place.bottom > over.top;
    });
    return hits.map((one) => one.outerHTML.slice(0, 120));
  });
  expect(covered).toEqual([]);
});

test('a form that opens has the focus in its first field, and Esc gives it back', async ({ admin: page }) => {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  const summary = page.locator('summary', { hasText: 'Create worker' });
  await summary.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Name')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(summary).toBeFocused();
  await expect(page.getByLabel('Name')).toBeHidden();
  await page.goto('/workers?new');
  await expect(page.getByLabel('Name')).toBeFocused();
});

test('keys do not reach the page behind a dialog', async ({ admin: page }) => {
  await page.goto('/workers');
  await expect(page.getByText('Realtime: connected')).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await expect(page).toHaveURL(/\/workers$/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await expect(page).toHaveURL(/\/nets$/);
});

test('a setup link that cannot be used says why', { tag: '@both' }, async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 410/);
  const answer = await page.goto('/setup/used');
  expect(answer?.status()).toBe(410);
  await expect(page.getByText(/set up already/)).toBeVisible();
  await expect(page.getByLabel('Password')).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible();
});

test('without JavaScript what loses something takes a second step', { tag: '@no-js' }, async ({ admin: page }) => {
  const [cluster] = await ask(page, 'get', 'clusters');
  const data = { name: 'two-steps', cluster_id: cluster.id, category: 'persistent', cpus: 1, memory_mb: 64 };
  const { worker } = await ask(page, 'post', 'workers', data);
  await page.goto(`/workers/${worker.id}`);
  await expect(page.getByRole('button', { name: 'Delete', exact: true })).toHaveCount(0);
  await page.locator('summary', { hasText: 'Delete…' }).click();
  await expect(page.getByText('Its machine and its record will be gone')).toBeVisible();
  await page.getByRole('button', { name: 'Delete now' }).click();
  await expect(page.getByText(/Deleting in \d+ s/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
});
