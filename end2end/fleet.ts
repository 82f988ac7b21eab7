// Changes of the fleet, made with a page's own session but not through its views.

import { type Page, expect } from '@playwright/test';

/** Creates a worker and answers its id. */
export async function createWorker(page: Page, name: string): Promise<string> {
  return page.evaluate(async (name) => {
    const [cluster] = await (await fetch('/api/clusters')).json();
    const body = JSON.stringify({ name, cluster_id: cluster.id, category: 'ephemeral', cpus: 1, memory_mb: 256 });
    const answer = await fetch('/api/workers', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).worker.id;
  }, name);
}

/** Asks the API with the page's own session; the answer's JSON, and an error where it refuses. */
export async function ask(page: Page, method: 'get' | 'post' | 'delete', path: string, data?: unknown): Promise<any> {
  const headers = { Origin: new URL(page.url()).origin };
  const answer = await page.request[method](`/api/${path}`, data === undefined ? { headers } : { data, headers });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** Creates a worker and waits until its machine is ready; its id. */
export async function readyWorker(page: Page, name: string, category = 'ephemeral'): Promise<string> {
  const [cluster] = await ask(page, 'get', 'clusters');
  const data = { name, cluster_id: cluster.id, category, cpus: 1, memory_mb: 256 };
  const { worker } = await ask(page, 'post', 'workers', data);
  await ask(page, 'post', `workers/${worker.id}/provision`);
  await expect.poll(async () => (await ask(page, 'get', `workers/${worker.id}`)).status, { timeout: 15_000 }).toBe('ready');
  return worker.id;
}

/** Loads the first net whose name begins so on a worker; its id. */
export async function loadNet(page: Page, worker: string, begins: string): Promise<string> {
  const net = (await ask(page, 'get', 'nets')).find((net: any) => net.name.startsWith(begins));
  await ask(page, 'post', `nets/${net.id}/assign`, { worker_id: worker });
  await ask(page, 'post', `nets/${net.id}/load`);
  return net.id;
}

/** Ends the session on the server, behind the back of every page. */
export async function endSession(page: Page): Promise<void> {
  const answer = await page.request.delete('/api/session', { headers: { Origin: new URL(page.url()).origin } });
  if (!answer.ok()) throw new Error(`${answer.status()}: ${await answer.text()}`);
}
