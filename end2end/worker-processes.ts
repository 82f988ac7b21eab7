// The processes of workers: they outlive their console on purpose, so a test file ends them itself. The local provider starts each with MUSTER_DATA_DIR set to
// its console's data folder: that is how they are told from the workers of anybody else.

import { readdir, readFile } from 'node:fs/promises';

const ENDS_WITHIN = 5_000;

/** Ends every process that was started for this data folder; returns when none is left. */
export async function endProcessesOf(dataDir: string): Promise<void> {
  let running = await processesOf(dataDir);
  for (const pid of running) {
    signal(pid, 'SIGTERM');
    // A test may have stopped it: it hears nothing until it goes on.
    signal(pid, 'SIGCONT');
  }
  const deadline = Date.now() + ENDS_WITHIN;
  while (running.length > 0) {
    if (Date.now() > deadline) running.forEach((pid) => signal(pid, 'SIGKILL'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    running = await processesOf(dataDir);
  }
}

/** By their environment, in /proc; nothing where there is no /proc. All workers of a console, or the one with this id. */
export async function processesOf(dataDir: string, workerId?: string): Promise<number[]> {
  const wanted = [`MUSTER_DATA_DIR=${dataDir}`, ...(workerId ? [`MUSTER_WORKER_ID=${workerId}`] : [])];
  const entries = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    entries.filter((name) => /^\d+$/.test(name)).map(async (pid) => {
      // Gone meanwhile, a zombie (empty), or another user's.
      const environment = (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0');
      return wanted.every((variable) => environment.includes(variable)) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
