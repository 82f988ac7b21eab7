// What the browser's main thread was busy with, read from Chromium's own trace.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, type Page, test } from '@playwright/test';

/** A folder to keep the traces in, with a profile of the functions: for finding what a long task does. */
const KEPT = process.env.MUSTER_TRACE;

export interface Busy {
  /** The longest task, milliseconds of CPU time of the main thread (not of the wall clock: others use the machine too). */
  longest: number;
  /** Tasks above 50 ms. */
  over50: number;
  /** CPU time of all tasks together, milliseconds. */
  total: number;
  tasks: number;
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ph: string;
  tdur?: number;
  args?: { name?: string; data?: unknown };
}

/** Runs `what` and reports the tasks of `page`'s main thread meanwhile. */
export async function busyDuring(browser: Browser, page: Page, what: () => Promise<void>): Promise<Busy> {
  const categories = ['disabled-by-default-devtools.timeline', 'devtools.timeline', '__metadata'];
  // A profile of the functions costs time of its own: what is measured with it is not held against anything.
  if (KEPT) categories.push('disabled-by-default-v8.cpu_profiler', 'v8');
  await browser.startTracing(page, { categories });
  try {
    await what();
  } finally {
    var trace = await browser.stopTracing();
  }
  if (KEPT) writeFileSync(join(KEPT, `trace-${Date.now()}.json`), trace);
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const mains = new Set(
    traceEvents.filter((event) => event.name === 'thread_name' && event.args?.name === 'CrRendererMain').map((event) => `${event.pid}/${event.tid}`),
  );
  // Times are in microseconds.
  const tasks = traceEvents.filter((event) => event.name === 'RunTask' && event.ph === 'X' && mains.has(`${event.pid}/${event.tid}`));
  const times = tasks.map((event) => (event.tdur ?? 0) / 1000);
  if (times.length === 0) throw new Error('the trace holds no task: did the names of its events change?');
  return {
    longest: Math.max(...times),
    over50: times.filter((time) => time > 50).length,
    total: times.reduce((sum, time) => sum + time, 0),
    tasks: times.length,
  };
}

/** Bytes after a forced collection: what JavaScript holds, and the memory of WebAssembly, which grows and never shrinks. */
export async function heapAfterCollection(page: Page): Promise<{ js: number; wasm: number }> {
  const session = await page.context().newCDPSession(page);
  try {
    await session.send('HeapProfiler.enable');
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { result: prototype } = await session.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
    const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: prototype.objectId! });
    const { result } = await session.send('Runtime.callFunctionOn', {
      objectId: objects.objectId!,
      functionDeclaration: 'function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }',
      returnByValue: true,
    });
    return { js: usedSize, wasm: result.value };
  } finally {
    await session.detach();
  }
}

/** Says what was measured, in the report and on the terminal. */
export function told(what: string, figures: Busy | Record<string, number>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${Number(value).toFixed(1)}`).join(', ');
  test.info().annotations.push({ type: 'measured', description: `${what}: ${text}` });
  console.log(`    ${what}: ${text}`);
}
