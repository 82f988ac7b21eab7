// Which pages of a browser hold a stream, seen from outside.

import type { BrowserContext, Page, Request } from '@playwright/test';

export class Streams {
  private readonly requests = new Set<Request>();
  /** How many were ever opened. */
  opened = 0;

  /** Watches every page of the context: make it before the first page opens the console. */
  constructor(context: BrowserContext) {
    context.on('request', (request) => {
      if (new URL(request.url()).pathname !== '/api/sync') return;
      this.requests.add(request);
      this.opened += 1;
    });
    context.on('requestfinished', (request) => this.requests.delete(request));
    context.on('requestfailed', (request) => this.requests.delete(request));
  }

  /** The pages that hold one now; a page twice if it holds two. */
  holders(): Page[] {
    return [...this.requests].map((request) => request.frame().page()).filter((page) => !page.isClosed());
  }

  get open(): number {
    return this.holders().length;
  }
}
