// A page with an error in its console is broken, however right it looks.

import type { BrowserContext } from '@playwright/test';

/** What Chromium says about requests to a server that is not there for a moment. */
const LOST_CONNECTION = /net::ERR_(CONNECTION_|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|NETWORK_CHANGED|SOCKET_NOT_CONNECTED)/;

export class ConsoleGuard {
  private readonly problems: string[] = [];
  private readonly allowed: RegExp[] = [];

  /** Listens to every page of the context. */
  constructor(context: BrowserContext) {
    context.on('console', (message) => {
      const { url, lineNumber } = message.location();
      const text = `${message.text()} (${url}:${lineNumber})`;
      const mismatch = message.type() === 'warning' && /hydrat/i.test(text);
      if (message.type() === 'error' || mismatch) this.problems.push(text);
    });
    context.on('weberror', (problem) => this.problems.push(`uncaught: ${problem.error()}`));
  }

  /** For a message that the test provokes, such as the browser's own line about an answer of 409. Holds for the whole test. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  /** For a test that takes the server away. */
  allowLostConnections(): void {
    this.allow(LOST_CONNECTION);
  }

  /** Throws when there was anything that no pattern allows. */
  check(): void {
    const problems = this.problems.filter((problem) => !this.allowed.some((pattern) => pattern.test(problem)));
    if (problems.length > 0) throw new Error(`in the browser's console:\n${problems.join('\n')}`);
  }
}
