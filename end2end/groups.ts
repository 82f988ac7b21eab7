// Clusters and projects, made with a page's own session but not through its views.

import type { Page } from '@playwright/test';

/** Calls a server function as the page itself does; its answer's JSON, and an error where it refuses. */
export async function call(page: Page, name: string, form: Record<string, string>): Promise<any> {
  const headers = { Origin: new URL(page.url()).origin, Accept: 'application/json' };
  const answer = await page.request.post(`/do/${name}`, { form, headers });
  if (!answer.ok()) throw new Error(`${name}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** Creates a project with these bounds; its id. */
export async function createProject(page: Page, name: string, bounds: { nets?: number; workers?: number } = {}): Promise<string> {
  const text = (bound?: number) => bound?.toString() ?? '';
  return (await call(page, 'create-project', { name, nets: text(bounds.nets), workers: text(bounds.workers) })).project.id;
}

/** Creates an external cluster; its id. */
export async function createCluster(page: Page, name: string): Promise<string> {
  await call(page, 'create-cluster', { name, provider: 'external', region: 'eu' });
  const clusters = await (await page.request.get('/api/clusters')).json();
  return clusters.find((cluster: any) => cluster.name === name).id;
}
