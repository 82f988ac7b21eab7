// What the operator sees of events: the log live and further back, the timeline of one thing, messages, rules and notifications.

import type { Page } from '@playwright/test';

import { findings } from '../axe.ts';
import { log } from '../events.ts';
import { expect, test } from '../fixtures.ts';
import { ask, createWorker } from '../fleet.ts';

test.describe.configure({ mode: 'serial', timeout: 120_000 });

const rows = (page: Page) => page.locator('[data-event]');
const messages = (page: Page) => page.getByRole('region', { name: 'Messages', exact: true });

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.getByText('Realtime: connected')).toBeVisible();
}

test('what happens comes to the top by itself, and the log goes on below', async ({ admin: page, server }) => {
  const many = Array.from({ length: 450 }, (_, n) => ({ text: `Old event ${n}`, type: n % 9 === 0 ? 'net.created' : 'worker.updated' }));
  await log(page, server, many);
  // A change of the fleet trims what the snapshot holds of the log to the last hundred.
  await createWorker(page, 'first');
  await open(page, '/events');
  await expect(rows(page).first()).toContainText('Worker first created');
  await createWorker(page, 'second');
  await expect(rows(page).first()).toContainText('Worker second created');

  await expect(async () => {
    await page.mouse.wheel(0, 20_000);
    await expect(page.getByText('the log holds nothing older')).toBeInViewport({ timeout: 500 });
  }).toPass();
  await expect(page.getByText('Old event 0', { exact: true })).toBeVisible();
  expect(await rows(page).count(), 'only what is seen is in the page').toBeLessThan(120);

  // What is read stays where it is; what is new waits.
  const place = async () => (await page.getByText('Old event 3', { exact: true }).boundingBox())!.y;
  const before = await place();
  await createWorker(page, 'third');
  const newer = page.getByRole('button', { name: '1 newer' });
  await expect(newer).toBeVisible();
  expect(await place()).toBeCloseTo(before, 0);
  await newer.click();
  await expect(rows(page).first()).toContainText('Worker third created');
  await expect(rows(page).first()).toBeInViewport();
  await expect(newer).toHaveCount(0);
});

test('filters are in the address', async ({ admin: page, server }) => {
  await log(page, server, [{ text: 'The belfry is on fire', severity: 'error' }, { text: 'The belfry was repaired', severity: 'success' }]);
  await open(page, '/events');
  await page.getByLabel('Type').selectOption('net.*');
  await expect(page).toHaveURL(/type=net/);
  await expect(rows(page).first()).toHaveAttribute('data-event', 'net.created');
  await page.getByLabel('Type').selectOption('');
  await page.getByLabel('Filter events by words').fill('belf');
  await expect(page).toHaveURL(/q=belf/);
  await expect(rows(page)).toHaveCount(2);
  await page.getByLabel('Severity').selectOption('error');
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText('on fire');
  await page.reload();
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByLabel('Severity')).toHaveValue('error');
  await page.goBack();
  await expect(rows(page)).toHaveCount(2);
  // What does not match stays away, what matches comes.
  await log(page, server, [{ text: 'Something else' }, { text: 'A belfry again' }]);
  await expect(rows(page)).toHaveCount(3);
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expect(page).toHaveURL(/\/events$/);
  await expect(page.getByText('Something else')).toBeVisible();
});

test('a file with the same events', async ({ admin: page, server }) => {
  await log(page, server, [{ text: 'An exported gargoyle', severity: 'warning' }]);
  await open(page, '/events?q=gargoyle&severity=warning');
  await expect(rows(page)).toHaveCount(1);
  for (const [name, begins] of [['JSON lines', '{"id":'], ['CSV', 'id,']] as const) {
    const address = await page.getByRole('link', { name }).getAttribute('href');
    const answer = await page.request.get(address!);
    expect(answer.ok(), address!).toBe(true);
    const text = await answer.text();
    expect(text.startsWith(begins), text.slice(0, 80)).toBe(true);
    expect(text.trim().split('\n')).toHaveLength(name === 'CSV' ? 2 : 1);
  }
});

test('figures of what is chosen', async ({ admin: page }) => {
  await open(page, '/events?type=net.*');
  await page.getByText('Figures', { exact: true }).click();
  await expect(page.getByRole('img', { name: /^Events per hour/ })).toBeVisible();
  await expect(page.getByRole('table', { name: 'By type' }).getByRole('row', { name: /net\.created/ })).toContainText(/\d/);
});

test('events are acknowledged, one and several', async ({ admin: page, server, context }) => {
  await log(page, server, ['one', 'two', 'three'].map((n) => ({ text: `Gutter ${n} leaks`, severity: 'warning' as const })));
  await open(page, '/events?q=gutter&acknowledged=false');
  await expect(rows(page)).toHaveCount(3);
  const other = await context.newPage();
  await open(other, '/events?q=gutter');
  await expect(rows(other)).toHaveCount(3);
  await rows(page).first().getByRole('button', { name: /^Acknowledge event/ }).click();
  await expect(rows(page), 'what is acknowledged is not open any more').toHaveCount(2);
  await expect(rows(other).first().locator('.cell-ack')).toContainText('Ada');
  await page.getByLabel('Select all 2 that match').click();
  await page.getByRole('button', { name: 'Acknowledge 2', exact: true }).click();
  await expect(rows(page)).toHaveCount(0);
  await expect(page.getByText('No event matches the filter.')).toBeVisible();
  await expect(other.getByRole('button', { name: /^Acknowledge event/ })).toHaveCount(0);
  await other.close();
});

test('an open row says all of it', async ({ admin: page, server }) => {
  await log(page, server, [{ text: 'A weathercock turned', data: { from: 'north', to: 'west' } }]);
  await open(page, '/events?q=weathercock');
  await page.getByRole('button', { name: /^More of event/ }).click();
  const data = page.getByLabel('Data');
  await expect(data).toContainText('from');
  await expect(data).toContainText('west');
});

test('the timeline of one thing, further back as one asks', async ({ admin: page, server }) => {
  const id = await createWorker(page, 'aged');
  await log(page, server, Array.from({ length: 130 }, (_, n) => ({ text: `Aged ${n}`, worker_id: id })));
  await log(page, server, Array.from({ length: 120 }, (_, n) => ({ text: `Elsewhere ${n}` })));
  await createWorker(page, 'another that trims');
  await open(page, `/workers/${id}`);
  const timeline = page.getByRole('region', { name: 'What happened' });
  const older = timeline.getByRole('link', { name: 'Older', exact: true });
  await older.click();
  await expect(timeline.getByText('Aged 129', { exact: true })).toBeVisible();
  await expect(async () => {
    if (await older.isVisible()) await older.click();
    await expect(timeline.getByText('Worker aged created')).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(timeline.getByText(/^Elsewhere/)).toHaveCount(0);
  await timeline.getByRole('link', { name: 'All its events' }).click();
  await expect(page).toHaveURL(/resource=worker/);
  await expect(rows(page).first()).toContainText('Aged 129');
});

test('messages are told by severity, as the operator chose', async ({ admin: page, server }) => {
  await open(page, '/');
  await log(page, server, [{ text: 'A spire leans', severity: 'error' }, { text: 'A window was cleaned', severity: 'success' }]);
  await expect(messages(page)).toContainText('A spire leans');
  await expect(messages(page)).not.toContainText('window');
  await page.getByRole('button', { name: 'Dismiss' }).first().click();

  await page.locator('summary[aria-label^="Messages"]').click();
  await page.getByRole('button', { name: 'What I am told' }).click();
  await page.getByLabel('Messages on the page tell of').selectOption('success');
  await page.getByRole('button', { name: 'Done' }).click();
  await log(page, server, [{ text: 'A window was mended', severity: 'success' }]);
  await expect(messages(page)).toContainText('A window was mended');
  // Remembered for this user in this browser.
  await open(page, '/events');
  await log(page, server, [{ text: 'A window was painted', severity: 'success' }]);
  await expect(messages(page)).toContainText('A window was painted');
});

test('an administrator mutes events like one, and takes it back', async ({ admin: page, server }) => {
  await log(page, server, [{ text: 'A pigeon landed', severity: 'error', type: 'host.offline' }]);
  await open(page, '/events?q=pigeon');
  await rows(page).first().locator('summary').click();
  await page.getByRole('button', { name: 'Mute events like this…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rules for events' });
  await expect(dialog.getByLabel('Type')).toHaveValue('host.offline');
  await dialog.getByLabel('Note').fill('pigeons land');
  await dialog.getByRole('button', { name: 'Mute', exact: true }).click();
  await expect(dialog.getByRole('list', { name: 'Muted' })).toContainText('host.offline');
  await expect(dialog.getByRole('list', { name: 'Muted' })).toContainText('pigeons land');
  expect(await findings(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(rows(page).first()).toContainText('muted');

  await log(page, server, [
    { text: 'A pigeon landed again', severity: 'error', type: 'host.offline' },
    { text: 'A raven landed', severity: 'error', type: 'host.updated' },
  ]);
  await expect(messages(page)).toContainText('A raven landed');
  await expect(messages(page)).not.toContainText('pigeon');

  await page.getByRole('button', { name: 'Rules', exact: true }).click();
  await dialog.getByRole('button', { name: /^Delete the rule host\.offline/ }).click();
  await expect(dialog.getByRole('list', { name: 'Muted' })).toContainText('Nothing is muted.');
  await dialog.getByRole('button', { name: 'Close' }).click();

  // A priority of its own is said, and tells of an event that would not be told otherwise.
  await rows(page).last().locator('summary').click();
  await page.getByRole('button', { name: 'Set the priority of events like this…' }).click();
  await dialog.getByRole('button', { name: 'Set priority' }).click();
  await expect(dialog.getByRole('list', { name: 'Priorities' })).toContainText('urgent');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(rows(page).first()).toContainText('urgent');
  await log(page, server, [{ text: 'A pigeon coughed', severity: 'info', type: 'host.offline' }]);
  await expect(messages(page)).toContainText('A pigeon coughed (urgent priority)');
});

test('notifications of the browser, while nobody sees the page', async ({ admin: page, server, context }) => {
  await context.grantPermissions(['notifications'], { origin: server.url });
  await page.addInitScript(() => {
    const told: any[] = [];
    const Real = window.Notification;
    (window as any).told = told;
    (window as any).Notification = class extends Real {
      constructor(title: string, options?: NotificationOptions) {
        super(title, options);
        told.push({ title, body: options?.body, tag: options?.tag, shown: this });
      }
    };
    (window as any).seen = true;
    Object.defineProperty(document, 'visibilityState', { get: () => ((window as any).seen ? 'visible' : 'hidden') });
  });
  const id = await createWorker(page, 'calls');
  await open(page, '/');
  const told = () => page.evaluate(() => (window as any).told.map(({ title, body, tag }: any) => ({ title, body, tag })));
  await log(page, server, [{ text: 'Seen by somebody', severity: 'error' }]);
  await expect(messages(page)).toContainText('Seen by somebody');
  await page.evaluate(() => ((window as any).seen = false));
  const first = await log(page, server, [
    { text: 'Worker calls is error', severity: 'error', worker_id: id },
    { text: 'Only a warning', severity: 'warning' },
  ]);
  await expect.poll(told).toEqual([{ title: 'Muster: error', body: 'Worker calls is error', tag: `muster-event-${first}` }]);
  await log(page, server, Array.from({ length: 6 }, (_, n) => ({ text: `Tile ${n} fell`, severity: 'error' as const })));
  await expect.poll(async () => (await told()).at(-1)?.title).toBe('6 events in the fleet');
  expect(await told()).toHaveLength(2);
  await page.evaluate(() => (window as any).told[0].shown.onclick());
  await expect(page).toHaveURL(new RegExp(`/workers/${id}$`));
});

test('a failed fetch says so and can be tried again', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/Failed to load resource/);
  await page.route('**/do/events', (route) => route.abort());
  await open(page, '/events');
  await page.mouse.wheel(0, 50_000);
  const alert = page.getByRole('alert').filter({ hasText: 'Older events could not be fetched' });
  await expect(alert).toBeVisible();
  await page.unroute('**/do/events');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await expect(alert).toHaveCount(0);
});

test('keys lead there', async ({ admin: page }) => {
  await open(page, '/');
  await page.keyboard.press('g');
  await page.keyboard.press('e');
  await expect(page).toHaveURL(/\/events$/);
  await expect(page.getByRole('heading', { name: 'Events', exact: true })).toBeVisible();
});

test('axe finds nothing', async ({ admin: page }) => {
  for (const address of ['/events', '/events?q=gutter', '/events?q=nothing-like-it', '/events?before=5']) {
    await open(page, address);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await findings(page), `${address}, ${colorScheme}`).toEqual([]);
    }
  }
  await open(page, '/events?q=weathercock');
  await page.getByRole('button', { name: /^More of event/ }).click();
  await page.getByText('Figures', { exact: true }).click();
  await expect(page.getByRole('table', { name: 'By type' })).toBeVisible();
  expect(await findings(page)).toEqual([]);
  await page.getByRole('button', { name: 'What I am told' }).click();
  await expect(page.getByRole('dialog', { name: 'What I am told' })).toBeVisible();
  expect(await findings(page)).toEqual([]);
});

test('without JavaScript it reads, filters, goes back in time and acknowledges', { tag: '@no-js' }, async ({ admin: page, server }) => {
  await log(page, server, Array.from({ length: 250 }, (_, n) => ({ text: `Plain ${n}`, severity: n === 249 ? 'warning' : 'info' })));
  await page.goto('/events?q=plain');
  await expect(rows(page).first()).toContainText('Plain 249');
  const address = page.getByRole('link', { name: 'Older events' });
  await expect(address).toBeVisible();
  await address.click();
  await expect(page.getByText('These are older events')).toBeVisible();
  await expect(page.getByText('Plain 249', { exact: true })).toHaveCount(0);
  await page.getByRole('link', { name: 'To the newest' }).click();
  await page.getByLabel('Severity').selectOption('warning,error');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/severity=warning/);
  await expect(rows(page)).toHaveCount(1);
  await rows(page).first().getByRole('button', { name: /^Acknowledge event/ }).click();
  await expect(page.getByRole('status').filter({ hasText: '1 event was acknowledged' })).toBeVisible();
  await expect(rows(page).first().locator('.cell-ack')).toContainText('Ada');
});

test('pictures', async ({ admin: page, server, picture }) => {
  const id = await createWorker(page, 'eu-west-1');
  const [cluster] = await ask(page, 'get', 'clusters');
  const about = { worker_id: id, cluster_id: cluster.id };
  await log(page, server, [
    { text: 'Worker eu-west-1 is provisioning', ...about, actor: { kind: 'user', id: '00000000-0000-7000-8000-000000000001', name: 'Grace Hopper' } },
    { text: 'Worker eu-west-1 is ready', severity: 'success', ...about, data: { from: 'provisioning', to: 'ready' } },
    { text: 'Host hsb2 is offline', severity: 'warning', type: 'host.offline' },
    { text: 'Worker eu-west-1 was ready and is error: its machine does not answer: connection refused by 127.0.0.1 port 4400', severity: 'error', ...about, data: { from: 'ready', to: 'error', reason: 'unreachable' } },
  ]);
  await open(page, '/events');
  await picture('events');
  await page.getByRole('button', { name: /^More of event/ }).first().click();
  await page.getByText('Figures', { exact: true }).click();
  await expect(page.getByRole('table', { name: 'By type' })).toBeVisible();
  await picture('events-open');
  await rows(page).first().locator('summary').click();
  await page.getByRole('button', { name: 'Mute events like this…' }).click();
  await picture('events-mute');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'What I am told' }).click();
  await picture('events-told');
  await page.keyboard.press('Escape');
  await open(page, `/workers/${id}`);
  await picture('worker-timeline');
});
