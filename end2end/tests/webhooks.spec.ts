// Webhooks against a receiver in this process, which checks signatures by itself.

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { findings } from '../axe.ts';
import { expect, test } from '../fixtures.ts';
import { createWorker } from '../fleet.ts';

test.describe.configure({ mode: 'serial', timeout: 90_000 });

interface Got {
  type: string;
  text: string;
  signed: boolean;
}

let receiver: Server;
let address = '';
let secret = '';
let status = 204;
const got: Got[] = [];

test.beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const header = (name: string) => String(request.headers[name] ?? '');
      const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
      const signed = createHmac('sha256', key)
        .update(`${header('webhook-id')}.${header('webhook-timestamp')}.`)
        .update(body)
        .digest('base64');
      const { type, data } = JSON.parse(body.toString());
      got.push({ type, text: data.text, signed: header('webhook-signature') === `v1,${signed}` });
      response.writeHead(status).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});

test.afterAll(() => void receiver.close());

test('an address in the console’s own network is refused, in words', async ({ admin: page, consoleGuard }) => {
  consoleGuard.allow(/status of 400/);
  await page.goto('/settings/webhooks');
  await expect(page.getByText('No webhook yet.')).toBeVisible();
  await page.getByText('Add webhook').click();
  await page.getByLabel('Name', { exact: true }).fill('pager');
  await page.getByLabel('Address', { exact: true }).fill('https://127.0.0.1:9/');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('127.0.0.1 is not an address of the public internet');
});

test('a webhook is made, tested, told of events, and says when its receiver does not take them', async ({ admin: page, server, restartServer, picture }) => {
  server.more = ['--webhooks-private'];
  await restartServer();
  await page.goto('/settings/webhooks');
  await page.getByText('Add webhook').click();
  await page.getByLabel('Name', { exact: true }).fill('pager');
  await page.getByLabel('Address', { exact: true }).fill(address);
  await page.getByLabel('Type of event').fill('worker.*');
  await page.getByLabel('Of this priority').selectOption('low');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'The secret of pager' });
  secret = (await dialog.getByText(/^whsec_/).textContent())!.trim();
  await dialog.getByRole('button', { name: 'I have it' }).click();

  const card = page.locator('[data-webhook="pager"]');
  await expect(card).toContainText('0 delivered');
  await card.getByRole('button', { name: 'Test' }).click();
  await expect(card).toContainText('Test: The receiver took it.');
  expect(got).toEqual([{ type: 'webhook.test', text: 'A test from Muster', signed: true }]);

  await createWorker(page, 'told-of');
  await expect.poll(() => got.length).toBe(2);
  expect(got[1]).toEqual({ type: 'worker.created', text: 'Worker told-of created', signed: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await findings(page, []), colorScheme).toEqual([]);
  }

  status = 500;
  await createWorker(page, 'not-taken');
  await expect.poll(() => got.length).toBe(3);
  await page.reload();
  await expect(card).toContainText('not taken');
  await expect(card).toContainText('it answered 500 Internal Server Error');
  await expect(card).toContainText('1 delivered');
  await picture('webhooks');
  status = 204;
  // Switching it off and on tries at once.
  await card.getByRole('button', { name: 'Switch off' }).click();
  await card.getByRole('button', { name: 'Switch on' }).click();
  await expect.poll(() => got.length).toBe(4);
  expect(got[3]?.text).toBe('Worker not-taken created');

  await card.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog', { name: 'Delete webhook pager?' }).getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No webhook yet.')).toBeVisible();
});
