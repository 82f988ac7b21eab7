// What is wrong is said in words, beside where it was typed; nothing is stored, and nothing that was typed is run.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';

const PTNET = 'http://www.pnml.org/version-2009/grammar/ptnet';
const net = (inside: string, type = PTNET) =>
  `<?xml version="1.0"?>\n<pnml xmlns="http://www.pnml.org/version-2009/grammar/pnml">\n<net id="n" type="${type}"><page id="g">\n${inside}\n</page></net></pnml>`;

const WRONG: [what: string, pnml: string, line: number, says: RegExp][] = [
  ['not XML', 'this is no net', 1, /XML/],
  ['XML that is cut off', net('<place id="p">').slice(0, -20), 5, /XML|closed|end/i],
  ['another net type', net('<place id="p"/>', 'http://www.pnml.org/version-2009/grammar/symmetricnet'), 3, /type/],
  ['a dangling arc', net('<place id="p"/>\n<arc id="a" source="p" target="nowhere"/>'), 5, /nowhere/],
  ['a negative marking', net('<place id="p"><initialMarking><text>-1</text></initialMarking></place>'), 4, /-1|marking/],
  ['a huge weight', net('<place id="p"/><transition id="t"/>\n<arc id="a" source="p" target="t"><inscription><text>99999999999999999999</text></inscription></arc>'), 5, /weight|number|most/i],
  ['a duplicate id', net('<place id="p"/>\n<place id="p"/>'), 5, /p/],
  ['an entity bomb', '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "aaaa">]>\n<pnml/>', 2, /DOCTYPE/],
];

async function project(page: Page): Promise<string> {
  return (await (await page.request.get('/api/projects')).json())[0].id;
}

test('a bad PNML file is 422 with its line, and nothing is stored', async ({ admin: page }) => {
  const before = await (await page.request.get('/api/nets')).json();
  for (const [what, pnml, line, says] of WRONG) {
    const answer = await page.request.post('/api/nets', { data: { name: what, project_id: await project(page), pnml } });
    const body = await answer.json();
    expect(answer.status(), `${what}: ${JSON.stringify(body)}`).toBe(422);
    expect(body.line, `${what}: ${body.detail}`).toBe(line);
    expect(body.detail, what).toMatch(says);
  }
  expect(await (await page.request.get('/api/nets')).json()).toEqual(before);
});

test('a bad PNML file is explained beside the form', async ({ admin: page, consoleGuard, picture }) => {
  consoleGuard.allow(/status of 422/);
  await page.goto('/nets');
  await page.getByText('Add net').first().click();
  await page.getByLabel('or paste it').fill(WRONG[3]![1]);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.locator('#net-error')).toContainText('line 5');
  await expect(page.locator('#net-error')).toContainText('nowhere');
  await expect(page.getByLabel('or paste it')).toHaveValue(WRONG[3]![1]);
  await picture('net-refused');
});

test('names: empty, endless, taken and with markup', async ({ admin: page }) => {
  const [cluster] = await (await page.request.get('/api/clusters')).json();
  const create = (name: string) =>
    page.request.post('/api/workers', {
      data: { name, cluster_id: cluster.id, category: 'persistent', cpus: 1, memory_mb: 64 },
    });
  for (const [name, says] of [
    ['', /empty/],
    ['   ', /empty/],
    ['x'.repeat(10_000), /10000 characters/],
    ['a\nb', /control/],
  ] as const) {
    const answer = await create(name);
    expect(answer.status(), name.slice(0, 20)).toBe(400);
    expect((await answer.json()).detail).toMatch(says);
  }
  const markup = '<img src=x onerror="document.title=1">';
  expect((await create(markup)).status()).toBe(201);
  expect((await create(markup)).status()).toBe(409);
  await page.goto('/workers');
  await expect(page.getByText(markup).first()).toBeVisible();
  await expect(page).toHaveTitle(/Workers/);
  expect(await page.locator('img').count()).toBe(0);
});

test('loading on a worker that is not ready is refused with its state', async ({ admin: page }) => {
  const [cluster] = await (await page.request.get('/api/clusters')).json();
  const data = { name: 'w', cluster_id: cluster.id, category: 'persistent', cpus: 1, memory_mb: 64 };
  const { worker } = await (await page.request.post('/api/workers', { data })).json();
  const [sample] = await (await page.request.get('/api/nets')).json();
  const load = await page.request.post(`/api/nets/${sample.id}/load`);
  expect(load.status()).toBe(409);
  expect(await load.json()).toMatchObject({ code: 'net_unassigned', net_load_state: 'unloaded' });
  const assign = await page.request.post(`/api/nets/${sample.id}/assign`, { data: { worker_id: worker.id } });
  expect(assign.status()).toBe(409);
  expect((await assign.json()).detail).toContain('pending');
});

test('an old revision is 412 with the current record; a repeated key gives the first answer', async ({ admin: page }) => {
  const [cluster] = await (await page.request.get('/api/clusters')).json();
  const data = { name: 'twice', cluster_id: cluster.id, category: 'ephemeral', cpus: 1, memory_mb: 64 };
  const headers = { 'Idempotency-Key': 'create-twice' };
  const first = await (await page.request.post('/api/workers', { data, headers })).json();
  const again = await (await page.request.post('/api/workers', { data, headers })).json();
  expect(again).toEqual(first);
  const reused = await page.request.post('/api/workers', { data: { ...data, name: 'other' }, headers });
  expect(reused.status()).toBe(409);
  const stale = await page.request.post(`/api/workers/${first.worker.id}/provision`, { headers: { 'If-Match': '"99"' } });
  expect(stale.status()).toBe(412);
  expect((await stale.json()).current.id).toBe(first.worker.id);
});

test('without a session nothing is shown and nothing is done', async ({ playwright, server }) => {
  const nobody = await playwright.request.newContext({ baseURL: server.url });
  for (const path of ['state', 'sync', 'workers', 'nets', 'clusters', 'projects', 'session', 'watch?net=x', 'nets/x/graph']) {
    expect((await nobody.get(`/api/${path}`)).status(), path).toBe(401);
  }
  for (const path of ['/api/workers', '/api/nets', '/api/workers/x/provision', '/do/worker', '/do/net', '/do/open', '/anything']) {
    expect((await nobody.post(path)).status(), path).toBe(401);
  }
  for (const path of ['/healthz', '/readyz', '/sign-in']) expect((await nobody.get(path)).status(), path).toBe(200);
  await nobody.dispose();
});

test('a request from another site is refused', async ({ admin: page }) => {
  const answer = await page.request.post('/api/workers', { headers: { Origin: 'https://evil.example' }, data: {} });
  expect(answer.status()).toBe(403);
});
