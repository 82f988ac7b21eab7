// Tabs that Playwright does not know of. It makes each of its pages believe that it is seen and focused, and a page that is seen cannot be
// frozen; these are hidden when another one is in front of them, as an operator's are.

import type { Browser, CDPSession, Cookie } from '@playwright/test';

export class PlainTab {
  private answers = new Map<number, { resolve: (result: any) => void; reject: (error: Error) => void }>();
  private last = 0;

  private constructor(
    private readonly browser: CDPSession,
    private readonly targetId: string,
    private readonly sessionId: string,
  ) {
    browser.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      if (sessionId !== this.sessionId) return;
      const { id, result, error } = JSON.parse(message);
      const waiting = this.answers.get(id);
      this.answers.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    });
  }

  /** A tab at `url`, in a window with the other plain tabs of this browser, in front of them. */
  static async open(browser: CDPSession, url: string): Promise<PlainTab> {
    const { targetId } = await browser.send('Target.createTarget', { url });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: false });
    const tab = new PlainTab(browser, targetId, sessionId);
    await tab.toFront();
    return tab;
  }

  /** Whether the expression holds; false while the page is between two documents, where nothing can be asked. */
  async holds(expression: string): Promise<boolean> {
    return this.evaluate<boolean>(expression).catch(() => false);
  }

  /** What the expression gives; a promise is waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const given = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (given.exceptionDetails) throw new Error(given.exceptionDetails.exception?.description ?? given.exceptionDetails.text);
    return given.result.value;
  }

  /** Whether the page has this text, also where it is hidden. */
  async shows(text: string): Promise<boolean> {
    return this.holds(`!!document.body?.textContent.includes(${JSON.stringify(text)})`);
  }

  async toFront(): Promise<void> {
    await this.browser.send('Target.activateTarget', { targetId: this.targetId });
  }

  /** Frozen, no task of the page runs until it is thawed. It must be hidden. */
  async freeze(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  async thaw(): Promise<void> {
    await this.send('Page.setWebLifecycleState', { state: 'active' });
    await this.toFront();
  }

  async close(): Promise<void> {
    await this.browser.send('Target.closeTarget', { targetId: this.targetId });
  }

  private send(method: string, params: object): Promise<any> {
    const id = (this.last += 1);
    const answer = new Promise((resolve, reject) => this.answers.set(id, { resolve, reject }));
    const message = JSON.stringify({ id, method, params });
    const sent = this.browser.send('Target.sendMessageToTarget', { sessionId: this.sessionId, message });
    return sent.then(() => answer);
  }
}

/** Signs plain tabs in. */
export async function signIn(browser: Browser, cookies: Cookie[]): Promise<CDPSession> {
  const session = await browser.newBrowserCDPSession();
  await session.send('Storage.setCookies', { cookies: cookies.map(({ name, value, domain, path, httpOnly }) => ({ name, value, domain, path, httpOnly })) });
  return session;
}
