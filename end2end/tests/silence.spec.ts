// A picture of the past is shown as one.

import { expect, test } from '../fixtures.ts';
test('a worker that falls silent: its net is shown as the last known, with the age', async ({ admin: page, server }) => {
  const [cluster] = await (await page.request.get('/api/clusters')).json();
  const data = { name: 'w', cluster_id: cluster.id, category: 'ephemeral', cpus: 1, memory_mb: 64 };
  const { worker } = await (await page.request.post('/api/workers', { data })).json();
  await page.request.post(`/api/workers/${worker.id}/provision`);
  const net = (await (await page.request.get('/api/nets')).json()).find((n: any) => n.name.startsWith('Prod'));
  await page.request.post(`/api/nets/${net.id}/assign`, { data: { worker_id: worker.id } });
  await page.request.post(`/api/nets/${net.id}/load`);
  await page.request.post(`/api/nets/${net.id}/run`, { data: { rate: 50 } });
  await page.goto(`/nets/${net.id}`);
  await expect.poll(async () => Number(await page.locator('[data-firings]').getAttribute('data-firings'))).toBeGreaterThan(80);
  const place = () => page.locator('.drawing').boundingBox();
  const before = await place();
  const [pid] = await server.workerPids();
  process.kill(pid!, 'SIGSTOP');
  try {
    await expect(page.getByText(/No word from its worker for \d+ s/)).toBeVisible({ timeout: 6_000 });
    expect(await place(), 'the drawing has moved').toEqual(before);
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
});
