// Changes of the fleet, made with a page's own session but not through its views.

import type { Page } from '@playwright/test';

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

/** Ends the session on the server, behind the back of every page. */
export async function endSession(page: Page): Promise<void> {
  const answer = await page.request.delete('/api/session', { headers: { Origin: new URL(page.url()).origin } });
  if (!answer.ok()) throw new Error(`${answer.status()}: ${await answer.text()}`);
}
